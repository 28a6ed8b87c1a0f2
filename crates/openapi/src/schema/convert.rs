//! One schema of any dialect to JSON Schema 2020-12.
//!
//! Recursion is bounded by the document's nesting: a reference is renamed, never entered.

use serde_json::{Map, Value, json};

use crate::{document::Dialect, text};

/// Which way values described by a schema travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    /// From the caller to the operation: fields that only the operation sets are left out.
    Input,
    /// Back to the caller: fields that are only written are left out, and nothing is promised.
    Output,
}

/// Longest description kept inside a schema.
const DESCRIPTION: usize = 600;

/// Keywords that hold one schema.
const ONE: [&str; 10] = [
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords that hold a list of schemas.
const LIST: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords that hold schemas by name.
const NAMED: [&str; 3] = ["dependentSchemas", "patternProperties", "properties"];
/// Keywords that hold a number.
const NUMBERS: [&str; 13] = [
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
];
/// Keywords that restrict a value and are therefore not promised of an answer.
const PROMISES: [&str; 8] =
    ["const", "else", "enum", "if", "not", "pattern", "then", "unevaluatedProperties"];
/// The types of JSON Schema.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// Converts schemas; `rename` turns a reference into the text of the new one, or `None` where it leads nowhere.
pub(crate) struct Converter<'c> {
    pub(crate) dialect: Dialect,
    pub(crate) direction: Direction,
    pub(crate) rename: &'c mut dyn FnMut(&str) -> Option<String>,
}

impl Converter<'_> {
    pub(crate) fn convert(&mut self, schema: &Value) -> Value {
        let source = match schema {
            Value::Object(source) => source,
            Value::Bool(_) => return schema.clone(),
            _ => return json!({}),
        };
        if let Some(reference) = source.get("$ref").and_then(Value::as_str) {
            return self.reference(reference, source);
        }
        let mut target = Map::new();
        self.types(source, &mut target);
        for (key, value) in source {
            self.keyword(key, value, source, &mut target);
        }
        if self.direction == Direction::Input {
            drop_removed_from_required(&mut target);
        }
        if self.is_nullable(source) {
            return allow_null(target);
        }
        Value::Object(target)
    }

    fn is_nullable(&self, source: &Map<String, Value>) -> bool {
        match self.dialect {
            Dialect::V2_0 => flag(source, "x-nullable"),
            Dialect::V3_0 => flag(source, "nullable"),
            Dialect::V3_1 => false,
        }
    }

    /// Before 3.1, a reference replaced whatever stood beside it.
    fn reference(&mut self, reference: &str, source: &Map<String, Value>) -> Value {
        let mut target = Map::new();
        if let Some(renamed) = (self.rename)(reference) {
            target.insert("$ref".into(), Value::String(renamed));
        }
        for (key, value) in source {
            if key != "$ref" && (self.dialect == Dialect::V3_1 || key == "description") {
                self.keyword(key, value, source, &mut target);
            }
        }
        Value::Object(target)
    }

    fn types(&self, source: &Map<String, Value>, target: &mut Map<String, Value>) {
        let mut types: Vec<&str> = match source.get("type") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => vec![],
        };
        if types == ["file"] {
            types = vec!["string"];
        }
        types.retain(|name| TYPES.contains(name));
        types.dedup();
        if self.direction == Direction::Output && !types.is_empty() && !types.contains(&"null") {
            types.push("null");
        }
        let binary = source.get("type").is_some_and(|kind| kind == "file")
            || source.get("format").is_some_and(|format| format == "binary" || format == "byte")
            || source.get("contentMediaType").is_some_and(|media| media == "application/octet-stream");
        match types.as_slice() {
            [] => {}
            [one] => drop(target.insert("type".into(), json!(one))),
            many => drop(target.insert("type".into(), json!(many))),
        }
        if binary && types.contains(&"string") {
            target.insert("contentEncoding".into(), json!("base64"));
        }
    }

    fn keyword(
        &mut self,
        key: &str,
        value: &Value,
        source: &Map<String, Value>,
        target: &mut Map<String, Value>,
    ) {
        if self.direction == Direction::Output && (PROMISES.contains(&key) || NUMBERS.contains(&key)) {
            return;
        }
        let converted = match (key, value) {
            ("title", Value::String(text)) => Some(json!(text::clean(text, 120))),
            ("description", Value::String(text)) => Some(json!(text::clean(text, DESCRIPTION))),
            ("exclusiveMinimum", Value::Bool(on)) => {
                return move_bound(*on, "minimum", "exclusiveMinimum", source, target);
            }
            ("exclusiveMaximum", Value::Bool(on)) => {
                return move_bound(*on, "maximum", "exclusiveMaximum", source, target);
            }
            ("minimum", _) if flag(source, "exclusiveMinimum") => None,
            ("maximum", _) if flag(source, "exclusiveMaximum") => None,
            ("example", _) if !value.is_null() => {
                target.entry("examples").or_insert(json!([value]));
                None
            }
            // Before 3.1 an array here was a tuple.
            ("items", Value::Array(items)) => {
                let items = items.iter().map(|item| self.convert(item)).collect();
                target.insert("prefixItems".into(), Value::Array(items));
                None
            }
            ("additionalProperties" | "unevaluatedItems", Value::Bool(false))
                if self.direction == Direction::Output =>
            {
                None
            }
            ("required", Value::Array(names)) => {
                let names: Vec<_> = names.iter().filter(|name| name.is_string()).cloned().collect();
                (self.direction == Direction::Input && !names.is_empty()).then_some(Value::Array(names))
            }
            ("enum", Value::Array(values)) => (!values.is_empty()).then(|| value.clone()),
            ("format", Value::String(format)) if format != "binary" && format != "byte" => {
                Some(value.clone())
            }
            ("examples", Value::Array(_))
            | ("const" | "default", _)
            | ("pattern" | "contentEncoding" | "contentMediaType", Value::String(_))
            | ("uniqueItems" | "deprecated" | "readOnly" | "writeOnly", Value::Bool(_))
            | ("dependentRequired", Value::Object(_)) => Some(value.clone()),
            (key, Value::Number(_)) if NUMBERS.contains(&key) => Some(value.clone()),
            (key, Value::Object(_) | Value::Bool(_)) if ONE.contains(&key) => Some(self.convert(value)),
            (key, Value::Array(items)) if LIST.contains(&key) => {
                let items: Vec<_> = items.iter().map(|item| self.convert(item)).collect();
                (!items.is_empty()).then_some(Value::Array(items))
            }
            (key, Value::Object(named)) if NAMED.contains(&key) => Some(self.named(named)),
            _ => None,
        };
        if let Some(converted) = converted {
            // An answer that fits several alternatives is no error of the answer.
            let relaxed = if self.direction == Direction::Output && key == "oneOf" { "anyOf" } else { key };
            target.insert(relaxed.to_owned(), converted);
        }
    }

    fn named(&mut self, named: &Map<String, Value>) -> Value {
        let hidden = match self.direction {
            Direction::Input => "readOnly",
            Direction::Output => "writeOnly",
        };
        let kept = named.iter().filter(|(_, schema)| schema.get(hidden) != Some(&Value::Bool(true)));
        Value::Object(kept.map(|(name, schema)| (name.clone(), self.convert(schema))).collect())
    }
}

fn flag(source: &Map<String, Value>, key: &str) -> bool {
    source.get(key) == Some(&Value::Bool(true))
}

/// Before 3.1 an exclusive bound was a flag beside the bound.
fn move_bound(
    on: bool,
    bound: &str,
    exclusive: &str,
    source: &Map<String, Value>,
    target: &mut Map<String, Value>,
) {
    if let (true, Some(number @ Value::Number(_))) = (on, source.get(bound)) {
        target.insert(exclusive.to_owned(), number.clone());
    }
}

/// A field that was left out because only the operation sets it can't be required of the caller.
fn drop_removed_from_required(target: &mut Map<String, Value>) {
    let Some(properties) = target.get("properties").and_then(Value::as_object) else { return };
    let known: Vec<String> = properties.keys().cloned().collect();
    // A name that never was a property stays: it may be required of additional ones.
    if let Some(Value::Array(required)) = target.get_mut("required") {
        required.retain(|name| name.as_str().is_none_or(|name| known.iter().any(|known| known == name)));
        if required.is_empty() {
            target.shift_remove("required");
        }
    }
}

fn allow_null(mut target: Map<String, Value>) -> Value {
    if target.is_empty() {
        return Value::Object(target);
    }
    match target.get_mut("type") {
        Some(Value::String(one)) => {
            let both = json!([one, "null"]);
            target.insert("type".into(), both);
        }
        Some(Value::Array(many)) => {
            if !many.iter().any(|name| name == "null") {
                many.push(json!("null"));
            }
        }
        _ => return json!({"anyOf": [target, {"type": "null"}]}),
    }
    if let Some(Value::Array(values)) = target.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    Value::Object(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(dialect: Dialect, direction: Direction, schema: &Value) -> Value {
        let mut rename =
            |reference: &str| reference.strip_prefix("#/x/").map(|name| format!("#/$defs/{name}"));
        Converter { dialect, direction, rename: &mut rename }.convert(schema)
    }

    #[test]
    fn older_dialects_become_2020_12() {
        let schema = json!({
            "type": "object", "required": ["id", "age"], "xml": {"name": "x"}, "x-internal": 1,
            "properties": {
                "id": {"type": "string", "readOnly": true},
                "age": {"type": "integer", "minimum": 0, "exclusiveMinimum": true, "example": 3},
                "kind": {"type": "string", "nullable": true, "enum": ["a", "b"]},
                "next": {"$ref": "#/x/Node", "default": 1},
                "file": {"type": "string", "format": "binary"},
                "maybe": {"nullable": true, "allOf": [{"$ref": "#/x/Node"}]},
            },
        });
        assert_eq!(
            convert(Dialect::V3_0, Direction::Input, &schema),
            json!({
                "type": "object", "required": ["age"],
                "properties": {
                    "age": {"type": "integer", "exclusiveMinimum": 0, "examples": [3]},
                    "kind": {"type": ["string", "null"], "enum": ["a", "b", null]},
                    "next": {"$ref": "#/$defs/Node"},
                    "file": {"type": "string", "contentEncoding": "base64"},
                    "maybe": {"anyOf": [{"allOf": [{"$ref": "#/$defs/Node"}]}, {"type": "null"}]},
                },
            })
        );
    }

    #[test]
    fn an_answer_is_described_and_nothing_is_promised() {
        let schema = json!({
            "type": "object", "required": ["id"], "additionalProperties": false,
            "properties": {"id": {"type": "string", "enum": ["a"], "maxLength": 3}, "key": {"writeOnly": true}},
        });
        assert_eq!(
            convert(Dialect::V3_1, Direction::Output, &schema),
            json!({"type": ["object", "null"], "properties": {"id": {"type": ["string", "null"]}}})
        );
    }

    #[test]
    fn a_reference_that_leads_nowhere_accepts_anything() {
        assert_eq!(convert(Dialect::V3_1, Direction::Input, &json!({"$ref": "other.yaml#/A"})), json!({}));
    }
}
