//! Schemas: converted to JSON Schema 2020-12, gathered with what they refer to, and applied to values.

mod convert;
mod gather;
mod validate;

pub use self::validate::Violation;
pub(crate) use self::{
    convert::Direction,
    gather::{Gatherer, Part},
    validate::{Patterns, fits, validate},
};

use serde_json::{Value, json};

/// The plainest value that a relaxed output schema accepts.
pub(crate) fn blank(schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("object") => json!({}),
        _ => Value::Null,
    }
}
