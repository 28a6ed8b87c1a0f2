//! Bytes to a tree of values, within limits.
//!
//! One visitor serves JSON and YAML. It counts what it builds, because a YAML alias repeats its anchor at no cost in
//! bytes: a document of a kilobyte may otherwise stand for gigabytes.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::{
    document::Format,
    error::{Error, Place},
    limits::Limits,
};

/// Reads `bytes` as JSON or YAML, whichever it is.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<(Value, Format), Error> {
    if bytes.len() > limits.bytes {
        return Err(Error::TooLarge { size: bytes.len(), max: limits.bytes });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Error::NotText { offset: error.valid_up_to() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let budget =
        Budget { nodes: Cell::new(limits.nodes), text: Cell::new(limits.text_bytes), depth: limits.depth };
    let root = Node { budget: &budget, depth: 0 };
    if text.trim_start().starts_with(['{', '[']) {
        Ok((json(text, root)?, Format::Json))
    } else {
        refuse_deep_flow(text, limits.depth)?;
        Ok((yaml(text, root)?, Format::Yaml))
    }
}

fn json(text: &str, root: Node<'_>) -> Result<Value, Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let syntax = |error: serde_json::Error| Error::Syntax {
        format: Format::Json,
        place: (error.line() > 0).then(|| Place { line: error.line(), column: error.column() }),
        message: without_place(&error.to_string()),
    };
    let value = root.deserialize(&mut reader).map_err(syntax)?;
    reader.end().map_err(syntax)?;
    Ok(value)
}

fn yaml(text: &str, root: Node<'_>) -> Result<Value, Error> {
    root.deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| Error::Syntax {
        format: Format::Yaml,
        place: error.location().map(|at| Place { line: at.line(), column: at.column() }),
        message: without_place(&error.to_string()),
    })
}

/// The readers end their messages with the place, which `Error` states once, in front.
fn without_place(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

/// A line of thousands of indicators makes the YAML scanner quadratic before anything counts the depth.
///
/// A line in a text block may look like this too, so the bound lies far above the depth that is accepted.
fn refuse_deep_flow(text: &str, depth: usize) -> Result<(), Error> {
    let max = depth * 40;
    let mut open = 0usize;
    for (index, line) in text.lines().enumerate() {
        let mut leading = true;
        let mut dashes = 0usize;
        for byte in line.bytes() {
            match byte {
                b'[' | b'{' => open += 1,
                b']' | b'}' => open = open.saturating_sub(1),
                b'-' | b'?' if leading => dashes += 1,
                b' ' => {}
                _ => leading = false,
            }
            if open > max || dashes > max {
                let place = Some(Place { line: index + 1, column: 1 });
                let message = format!("nested deeper than {depth} levels");
                return Err(Error::Syntax { format: Format::Yaml, place, message });
            }
        }
    }
    Ok(())
}

struct Budget {
    nodes: Cell<usize>,
    text: Cell<usize>,
    depth: usize,
}

impl Budget {
    fn node<E: serde::de::Error>(&self) -> Result<(), E> {
        let left = self.nodes.get().checked_sub(1);
        self.nodes.set(left.ok_or_else(|| E::custom("the document holds more values than are accepted"))?);
        Ok(())
    }

    fn text<E: serde::de::Error>(&self, length: usize) -> Result<(), E> {
        let left = self.text.get().checked_sub(length);
        self.text.set(left.ok_or_else(|| E::custom("the document holds more text than is accepted"))?);
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Node<'b> {
    budget: &'b Budget,
    depth: usize,
}

impl Node<'_> {
    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= self.budget.depth {
            return Err(E::custom(format!("nested deeper than {} levels", self.budget.depth)));
        }
        Ok(Self { budget: self.budget, depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.budget.node()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number must be finite"))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.budget.text(value.len())?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        self.budget.text(value.len())?;
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inside)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut object = Map::new();
        let mut merged = Vec::new();
        while let Some(key) = access.next_key_seed(Key { budget: self.budget })? {
            let value = access.next_value_seed(inside)?;
            if key == "<<" && (value.is_object() || value.is_array()) {
                merged.push(value);
            } else if object.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` appears twice in one object")));
            } else {
                object.insert(key, value);
            }
        }
        for value in merged {
            merge(&mut object, value);
        }
        Ok(Value::Object(object))
    }
}

/// YAML's merge key: the keys of the object itself win over those merged in.
fn merge(object: &mut Map<String, Value>, from: Value) {
    match from {
        Value::Object(fields) => {
            for (key, value) in fields {
                object.entry(key).or_insert(value);
            }
        }
        Value::Array(items) => {
            for item in items {
                merge(object, item);
            }
        }
        _ => {}
    }
}

/// A key as it is written: `200` and `yes` are texts here.
struct Key<'b> {
    budget: &'b Budget,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text as key")
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<String, E> {
        self.budget.text(value.len())?;
        Ok(value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::json;

    use super::*;

    fn read_text(text: &str) -> Result<Value, Error> {
        read(text.as_bytes(), &Limits::default()).map(|(value, _)| value)
    }

    #[test]
    fn yaml_keys_stay_as_they_are_written_and_merges_apply() {
        let value = read_text("base: &b {a: 1, c: 3}\nitem:\n  <<: *b\n  a: 2\n200: ok\nyes: no\n").unwrap();
        assert_eq!(
            value,
            json!({"base": {"a": 1, "c": 3}, "item": {"a": 2, "c": 3}, "200": "ok", "yes": "no"})
        );
    }

    #[test]
    fn an_error_names_its_line_and_column() {
        let error = read_text("{\n  \"a\": 1,\n  \"a\": 2}").unwrap_err();
        assert_eq!(error.to_string(), "JSON, line 3, column 9: the key `a` appears twice in one object");
        let error = read_text("a: 1\nb: [1, 2\nc: 3\n").unwrap_err();
        assert_eq!(error.place().map(|place| place.line), Some(3), "{error}");
    }

    #[test]
    fn deep_nesting_is_refused_in_every_form() {
        for text in [
            format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000)),
            format!("{{\"a\":{}", "{\"a\":".repeat(100_000)),
            format!("a: {}", "[".repeat(1_000_000)),
            format!("a: {}", "{b: ".repeat(1_000_000)),
            format!("a:\n{}", "- ".repeat(1_000_000)),
            format!("a:\n{}", "? ".repeat(1_000_000)),
            (0..3_000).fold(String::new(), |text, depth| text + &" ".repeat(depth) + "a:\n"),
        ] {
            let error = read_text(&text).unwrap_err();
            assert!(matches!(error, Error::Syntax { .. }), "{error}");
        }
    }

    #[test]
    fn an_alias_bomb_is_refused_before_it_grows() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            let _ = writeln!(text, "a{level}: &a{level} [{aliases}]");
        }
        assert!(matches!(read_text(&text), Err(Error::Syntax { .. })));

        let wide = format!("a: &a [{}]\nb: [{}]\n", "x, ".repeat(20_000), "*a, ".repeat(20_000));
        assert!(matches!(read_text(&wide), Err(Error::Syntax { .. })));
    }

    #[test]
    fn what_is_not_a_document_is_said_plainly() {
        assert_eq!(read(&[b'a', 0xff], &Limits::default()), Err(Error::NotText { offset: 1 }));
        let small = Limits { bytes: 3, ..Limits::default() };
        assert_eq!(read(b"{   }", &small), Err(Error::TooLarge { size: 5, max: 3 }));
    }
}
