//! Values against the schemas that the compiler makes.
//!
//! It knows the keywords that `convert` lets through. What it can't decide (a pattern in another dialect of regular
//! expressions, a check that would take too long) it lets pass: the operation itself has the last word.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use crate::pointer;

/// Steps after which a check gives up and lets the value pass.
const FUEL: usize = 200_000;

/// Nesting of schema applications after which a check gives up; references without a value between them count.
const DEPTH: usize = 400;

/// Violations reported at most.
const REPORTED: usize = 8;

/// Something that a value should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where in the value, as a JSON pointer.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.pointer.is_empty() { "the arguments" } else { &self.pointer };
        write!(f, "{at}: {}", self.message)
    }
}

/// Regular expressions compiled when first needed; clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns(Arc<Mutex<HashMap<String, Option<Regex>>>>);

impl Patterns {
    /// Whether `text` matches; also yes for a pattern that can't be understood here.
    fn accepts(&self, pattern: &str, text: &str) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains_key(pattern) {
            let compiled = RegexBuilder::new(pattern).size_limit(256 << 10).nest_limit(50).build().ok();
            known.insert(pattern.to_owned(), compiled);
        }
        known.get(pattern).and_then(Option::as_ref).is_none_or(|regex| regex.is_match(text))
    }
}

/// What is wrong with `arguments` under `schema`.
pub(crate) fn validate(
    schema: &Value,
    arguments: &Map<String, Value>,
    patterns: &Patterns,
) -> Vec<Violation> {
    let mut check = Check { root: schema, patterns, fuel: FUEL, depth: 0, found: Vec::new() };
    if let Value::Object(keywords) = schema {
        check.object(keywords, arguments, "");
    }
    check.found
}

/// Whether `value` is what `schema` says.
pub(crate) fn fits(schema: &Value, value: &Value, patterns: &Patterns) -> bool {
    let mut check = Check { root: schema, patterns, fuel: FUEL, depth: 0, found: Vec::new() };
    check.value(schema, value, "");
    check.found.is_empty()
}

struct Check<'s> {
    root: &'s Value,
    patterns: &'s Patterns,
    fuel: usize,
    depth: usize,
    found: Vec<Violation>,
}

impl<'s> Check<'s> {
    fn report(&mut self, at: &str, message: String) {
        if self.found.len() < REPORTED {
            self.found.push(Violation { pointer: at.to_owned(), message });
        }
    }

    /// Whether `value` fits, without reporting.
    fn fits(&mut self, schema: &'s Value, value: &Value) -> bool {
        let before = std::mem::take(&mut self.found);
        self.value(schema, value, "");
        std::mem::replace(&mut self.found, before).is_empty()
    }

    fn value(&mut self, schema: &'s Value, value: &Value, at: &str) {
        let keywords = match schema {
            Value::Bool(false) => return self.report(at, "is not accepted here".into()),
            Value::Object(keywords) => keywords,
            _ => return,
        };
        if self.fuel == 0 || self.depth >= DEPTH {
            return;
        }
        self.fuel -= 1;
        self.depth += 1;
        self.keywords(keywords, value, at);
        self.depth -= 1;
    }

    fn keywords(&mut self, keywords: &'s Map<String, Value>, value: &Value, at: &str) {
        if let Some(target) = keywords.get("$ref").and_then(Value::as_str).and_then(pointer::local)
            && let Some(target) = self.root.pointer(&target)
        {
            self.value(target, value, at);
        }
        if let Some(types) = keywords.get("type")
            && !has_type(types, value)
        {
            return self
                .report(at, format!("must be {}, not {}", named(types), crate::document::kind(value)));
        }
        if let Some(Value::Array(allowed)) = keywords.get("enum")
            && !allowed.iter().any(|one| same(one, value))
        {
            let mut shown: Vec<_> = allowed.iter().take(20).map(Value::to_string).collect();
            if allowed.len() > shown.len() {
                shown.push("…".into());
            }
            self.report(at, format!("must be one of {}", shown.join(", ")));
        }
        if let Some(constant) = keywords.get("const")
            && !same(constant, value)
        {
            self.report(at, format!("must be {constant}"));
        }
        match value {
            Value::Object(object) => self.object(keywords, object, at),
            Value::Array(items) => self.array(keywords, items, at),
            Value::String(text) => self.text(keywords, text, at),
            Value::Number(number) => self.number(keywords, number.as_f64().unwrap_or_default(), at),
            Value::Null | Value::Bool(_) => {}
        }
        self.combined(keywords, value, at);
    }

    fn combined(&mut self, keywords: &'s Map<String, Value>, value: &Value, at: &str) {
        let list = |key| keywords.get(key).and_then(Value::as_array);
        for schema in list("allOf").into_iter().flatten() {
            self.value(schema, value, at);
        }
        if let Some(any) = list("anyOf")
            && !any.iter().any(|schema| self.fits(schema, value))
        {
            self.report(at, "fits none of the alternatives".into());
        }
        if let Some(one) = list("oneOf") {
            // Alternatives that overlap are common in real documents; the operation tells them apart.
            if !one.iter().any(|schema| self.fits(schema, value)) {
                self.report(at, "fits none of the alternatives".into());
            }
        }
        if let Some(not) = keywords.get("not")
            && self.fits(not, value)
            && self.fuel > 0
        {
            self.report(at, "is a value that is excluded".into());
        }
        if let Some(condition) = keywords.get("if") {
            let branch = if self.fits(condition, value) { "then" } else { "else" };
            if let Some(schema) = keywords.get(branch) {
                self.value(schema, value, at);
            }
        }
    }

    fn object(&mut self, keywords: &'s Map<String, Value>, object: &Map<String, Value>, at: &str) {
        for name in keywords.get("required").and_then(Value::as_array).into_iter().flatten() {
            if let Some(name) = name.as_str()
                && !object.contains_key(name)
            {
                self.report(at, format!("`{name}` is missing"));
            }
        }
        self.bound(keywords, "minProperties", object.len(), at, "properties");
        self.bound(keywords, "maxProperties", object.len(), at, "properties");
        let properties = keywords.get("properties").and_then(Value::as_object);
        let by_pattern = keywords.get("patternProperties").and_then(Value::as_object);
        let additional = keywords.get("additionalProperties");
        for (name, value) in object {
            let inside = pointer::join(at, name);
            let known = properties.and_then(|known| known.get(name));
            if let Some(schema) = known {
                self.value(schema, value, &inside);
            }
            let mut matched = known.is_some();
            for (pattern, schema) in by_pattern.into_iter().flatten() {
                if self.patterns.accepts(pattern, name) {
                    matched = true;
                    self.value(schema, value, &inside);
                }
            }
            match additional {
                Some(Value::Bool(false)) if !matched => {
                    let known = properties.into_iter().flat_map(Map::keys).map(String::as_str);
                    let known: Vec<_> = known.take(30).collect();
                    let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
                    self.report(&inside, format!("is not known here; accepted: {known}"));
                }
                Some(schema) if !matched => self.value(schema, value, &inside),
                _ => {}
            }
        }
    }

    fn array(&mut self, keywords: &'s Map<String, Value>, items: &[Value], at: &str) {
        self.bound(keywords, "minItems", items.len(), at, "items");
        self.bound(keywords, "maxItems", items.len(), at, "items");
        let prefix = keywords.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (index, item) in items.iter().enumerate() {
            if let Some(schema) = prefix.get(index).or_else(|| keywords.get("items")) {
                self.value(schema, item, &format!("{at}/{index}"));
            }
        }
        if keywords.get("uniqueItems") == Some(&Value::Bool(true)) && items.len() <= 1_000 {
            let repeated = items.iter().enumerate().find(|(index, item)| items[..*index].contains(item));
            if let Some((index, _)) = repeated {
                self.report(&format!("{at}/{index}"), "repeats an earlier item".into());
            }
        }
    }

    fn text(&mut self, keywords: &Map<String, Value>, text: &str, at: &str) {
        if keywords.contains_key("minLength") || keywords.contains_key("maxLength") {
            let length = text.chars().count();
            self.bound(keywords, "minLength", length, at, "characters");
            self.bound(keywords, "maxLength", length, at, "characters");
        }
        if let Some(pattern) = keywords.get("pattern").and_then(Value::as_str)
            && !self.patterns.accepts(pattern, text)
        {
            self.report(at, format!("must match `{pattern}`"));
        }
    }

    fn number(&mut self, keywords: &Map<String, Value>, number: f64, at: &str) {
        let bound = |key: &str| keywords.get(key).and_then(Value::as_f64);
        let mut report = |broken: bool, message: String| {
            if broken {
                self.report(at, message);
            }
        };
        if let Some(min) = bound("minimum") {
            report(number < min, format!("must be at least {min}"));
        }
        if let Some(max) = bound("maximum") {
            report(number > max, format!("must be at most {max}"));
        }
        if let Some(min) = bound("exclusiveMinimum") {
            report(number <= min, format!("must be greater than {min}"));
        }
        if let Some(max) = bound("exclusiveMaximum") {
            report(number >= max, format!("must be less than {max}"));
        }
        if let Some(step) = bound("multipleOf").filter(|step| *step > 0.0) {
            let rest = (number / step) - (number / step).round();
            report(rest.abs() > 1e-6, format!("must be a multiple of {step}"));
        }
    }

    fn bound(&mut self, keywords: &Map<String, Value>, key: &str, count: usize, at: &str, what: &str) {
        let Some(bound) = keywords.get(key).and_then(Value::as_u64) else { return };
        let count = count as u64;
        if key.starts_with("min") && count < bound {
            self.report(at, format!("must have at least {bound} {what}"));
        }
        if key.starts_with("max") && count > bound {
            self.report(at, format!("must have at most {bound} {what}"));
        }
    }
}

fn has_type(types: &Value, value: &Value) -> bool {
    let one = |name: &str| match (name, value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("number", Value::Number(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_)) => true,
        ("integer", Value::Number(number)) => {
            !number.is_f64() || number.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        _ => false,
    };
    match types {
        Value::String(name) => one(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(one),
        _ => true,
    }
}

fn named(types: &Value) -> String {
    let names = match types {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect::<Vec<_>>(),
    };
    names.join(" or ")
}

/// Equal as JSON has it: `1` and `1.0` are the same number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn violations(schema: &Value, arguments: &Value) -> Vec<String> {
        let found = validate(schema, arguments.as_object().unwrap(), &Patterns::default());
        found.iter().map(Violation::to_string).collect()
    }

    #[test]
    fn each_violation_names_its_place() {
        let schema = json!({
            "type": "object", "required": ["name", "size"], "additionalProperties": false,
            "properties": {
                "name": {"type": "string", "maxLength": 3, "pattern": "^[a-z]+$"},
                "size": {"type": "integer", "minimum": 1},
                "tags": {"type": "array", "items": {"$ref": "#/$defs/Tag"}},
            },
            "$defs": {"Tag": {"type": "string", "enum": ["a", "b"]}},
        });
        assert_eq!(violations(&schema, &json!({"name": "abc", "size": 2.0, "tags": ["a"]})), [""; 0]);
        assert_eq!(
            violations(&schema, &json!({"name": "ABCD", "tags": ["a", 1, "c"], "other": 1})),
            [
                "the arguments: `size` is missing",
                "/name: must have at most 3 characters",
                "/name: must match `^[a-z]+$`",
                "/tags/1: must be string, not a number",
                "/tags/2: must be one of \"a\", \"b\"",
                "/other: is not known here; accepted: name, size, tags",
            ]
        );
    }

    #[test]
    fn alternatives_and_conditions_are_decided() {
        let schema = json!({
            "properties": {"v": {"anyOf": [{"type": "string"}, {"type": "null"}], "not": {"const": "no"}}},
            "if": {"required": ["v"]}, "then": {"required": ["w"]},
        });
        assert_eq!(violations(&schema, &json!({"v": 1, "w": 1})), ["/v: fits none of the alternatives"]);
        assert_eq!(violations(&schema, &json!({"v": "no", "w": 1})), ["/v: is a value that is excluded"]);
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({
            "properties": {"a": {"$ref": "#/$defs/A"}},
            "$defs": {"A": {"$ref": "#/$defs/A"}, "B": {"allOf": [{"$ref": "#/$defs/B"}, {"$ref": "#/$defs/B"}]}},
        });
        assert_eq!(violations(&schema, &json!({"a": 1})), [""; 0]);
    }
}
