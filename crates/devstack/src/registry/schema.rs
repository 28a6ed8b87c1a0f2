//! When a text is an Avro schema, and when two are the same one.

use serde_json::Value;

use super::Error;

/// A schema's text without insignificant spaces and orders of keys: equal forms are one schema.
pub(super) fn form(text: &str) -> Result<String, Error> {
    let invalid = |reason: String| Error::InvalidSchema { reason };
    // A bare name such as `string` is a schema too, though no JSON.
    let value: Value = serde_json::from_str(text).or_else(|error| match text.trim() {
        name if name.bytes().all(|byte| byte.is_ascii_lowercase()) && !name.is_empty() => {
            Ok(Value::String(name.to_owned()))
        }
        _ => Err(invalid(error.to_string())),
    })?;
    let form = sorted(value).to_string();
    // A schema that reads itself parses, and its defaults fit.
    events::compatibility::full(&form, &form).map_err(|error| invalid(runtime::chain(&error)))?;
    Ok(form)
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> =
                members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_and_the_order_of_keys_do_not_matter() {
        let one = form(r#"{"type":"record","name":"A","fields":[]}"#).unwrap();
        assert_eq!(form(r#"{ "name": "A", "fields": [], "type": "record" }"#).unwrap(), one);
        assert_ne!(form(r#"{"type":"record","name":"B","fields":[]}"#).unwrap(), one);
        assert_eq!(form("string").unwrap(), form(r#""string""#).unwrap());
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for text in ["", "{", "{}", r#"{"type":"nothing"}"#, r#"{"type":"record","name":"A"}"#] {
            assert!(matches!(form(text), Err(Error::InvalidSchema { .. })), "{text}");
        }
    }
}
