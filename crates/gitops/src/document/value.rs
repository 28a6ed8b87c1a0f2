//! Pieces that documents of several kinds share.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use domain::variable::{Templated, VariableName, is_template};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number, or a text with variables that becomes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number(pub(super) Templated<u32>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, or a text with variables such as `${BACKEND_TIMEOUT:30}`")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                match u32::try_from(number) {
                    Ok(number) => Ok(Number(Templated::Literal(number))),
                    Err(_) => Err(E::custom(format!("{number} is too large"))),
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                match text.parse() {
                    Ok(number) => Ok(Number(Templated::Literal(number))),
                    Err(_) if is_template(text) => Ok(Number(Templated::Template(text.to_owned()))),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Templated::Literal(number) => serializer.serialize_u32(*number),
            Templated::Template(text) => serializer.serialize_str(text),
        }
    }
}

impl JsonSchema for Number {
    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": u32::MAX },
            { "type": "string", "pattern": r"^\d+$|\$\{" },
        ] })
    }
}

impl From<&Templated<u32>> for Number {
    fn from(value: &Templated<u32>) -> Self {
        Self(value.clone())
    }
}

/// What the schema says of variables.
pub(super) type VariableValues = BTreeMap<VariableName, VariableValue>;

/// The reader takes numbers and switches for texts, too.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum VariableValue {
    Text(String),
    Number(f64),
    Switch(bool),
}

/// A field of the original's forms that this platform reads over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retired;

impl<'de> Deserialize<'de> for Retired {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// The retired fields of a form that are there, by their path.
macro_rules! retired {
    ($form:expr; $($($field:ident).+ as $name:literal),* $(,)?) => {{
        let mut found: Vec<&'static str> = Vec::new();
        $(if $form.$($field).+.is_some() { found.push($name); })*
        found
    }};
}
pub(super) use retired;

/// Whether a value is the usual one, and need not be written.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Checks an address with which calls are made, unless variables stand in it.
pub(super) fn check_http_url(text: &str) -> Result<(), String> {
    if is_template(text) {
        return Ok(());
    }
    let url = url::Url::parse(text).map_err(|error| format!("`{text}` is not an address: {error}"))?;
    match url.scheme() {
        "http" | "https" if !url.username().is_empty() || url.password().is_some() => {
            Err("an address holds no user or password; use a secret reference".to_owned())
        }
        "http" | "https" if url.host_str().is_some() => Ok(()),
        _ => Err(format!("`{text}` is not an http or https address")),
    }
}
