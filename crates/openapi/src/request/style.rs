//! Parameter styles of OpenAPI 3 (those of 2.0 are cases of them).

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, utf8_percent_encode};
use serde_json::Value;

use super::path::VALUE;

/// What `allowReserved` leaves as it is; `#` and `&` and `+` would change the meaning of a query.
const RESERVED: &AsciiSet = &VALUE
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'[')
    .remove(b']')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// How arrays and objects are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    SpaceDelimited,
    PipeDelimited,
    TabDelimited,
    DeepObject,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// By a style.
    Style { style: Style, explode: bool, allow_reserved: bool },
    /// As JSON text, because the parameter has a `content`.
    Json,
}

/// A scalar as text; arrays and objects inside others are JSON.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn encode(value: &Value, allow_reserved: bool) -> String {
    utf8_percent_encode(&plain(value), if allow_reserved { RESERVED } else { VALUE }).to_string()
}

fn name_of(name: &str) -> String {
    utf8_percent_encode(name, VALUE).to_string()
}

/// Items of an array, or keys and values of an object in turns, joined.
fn joined(value: &Value, separator: &str, encode: &dyn Fn(&Value) -> String) -> String {
    let texts: Vec<String> = match value {
        Value::Array(items) => items.iter().map(encode).collect(),
        Value::Object(fields) => {
            fields.iter().flat_map(|(key, value)| [name_of(key), encode(value)]).collect()
        }
        scalar => vec![encode(scalar)],
    };
    texts.join(separator)
}

/// `key=value` for each field of an object, items of an array plain, joined.
fn exploded(value: &Value, separator: &str, encode: &dyn Fn(&Value) -> String) -> String {
    match value {
        Value::Object(fields) => {
            let texts: Vec<_> =
                fields.iter().map(|(key, value)| format!("{}={}", name_of(key), encode(value))).collect();
            texts.join(separator)
        }
        other => joined(other, separator, encode),
    }
}

/// The text of a path parameter, encoded.
pub(super) fn in_path(name: &str, value: &Value, encoding: Encoding) -> String {
    let percent = |value: &Value| encode(value, false);
    let (style, explode) = match encoding {
        Encoding::Json => return utf8_percent_encode(&value.to_string(), VALUE).to_string(),
        Encoding::Style { style, explode, .. } => (style, explode),
    };
    match (style, explode) {
        (Style::Label, true) => format!(".{}", exploded(value, ".", &percent)),
        (Style::Label, false) => format!(".{}", joined(value, ",", &percent)),
        (Style::Matrix, true) => match value {
            Value::Array(items) => {
                let texts = items.iter().map(|item| format!(";{}={}", name_of(name), percent(item)));
                texts.collect::<Vec<_>>().concat()
            }
            Value::Object(_) => format!(";{}", exploded(value, ";", &percent)),
            scalar => format!(";{}={}", name_of(name), percent(scalar)),
        },
        (Style::Matrix, false) => format!(";{}={}", name_of(name), joined(value, ",", &percent)),
        (_, true) => exploded(value, ",", &percent),
        (_, false) => joined(value, ",", &percent),
    }
}

/// Appends a query parameter, encoded.
pub(super) fn in_query(query: &mut String, name: &str, value: &Value, encoding: Encoding) {
    let mut push = |name: &str, text: &str| {
        let separator = if query.is_empty() { "" } else { "&" };
        // Writing to a text can't fail.
        let _ = write!(query, "{separator}{name}={text}");
    };
    let key = name_of(name);
    let (style, explode, allow_reserved) = match encoding {
        Encoding::Json => return push(&key, &utf8_percent_encode(&value.to_string(), VALUE).to_string()),
        Encoding::Style { style, explode, allow_reserved } => (style, explode, allow_reserved),
    };
    let percent = |value: &Value| encode(value, allow_reserved);
    match (value, style) {
        (Value::Object(fields), Style::DeepObject) => {
            for (field, value) in fields {
                deep(&mut push, &format!("{key}[{}]", name_of(field)), value, &percent);
            }
        }
        (Value::Array(items), _) if explode => items.iter().for_each(|item| push(&key, &percent(item))),
        (Value::Object(fields), _) if explode => {
            fields.iter().for_each(|(field, value)| push(&name_of(field), &percent(value)));
        }
        (_, Style::SpaceDelimited) => push(&key, &joined(value, "%20", &percent)),
        (_, Style::PipeDelimited) => push(&key, &joined(value, "%7C", &percent)),
        (_, Style::TabDelimited) => push(&key, &joined(value, "%09", &percent)),
        _ => push(&key, &joined(value, ",", &percent)),
    }
}

/// Nested objects as `a[b][c]`; arguments were read by a JSON reader, which bounds their nesting.
fn deep(push: &mut dyn FnMut(&str, &str), key: &str, value: &Value, percent: &dyn Fn(&Value) -> String) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                deep(push, &format!("{key}[{}]", name_of(field)), value, percent);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| push(key, &percent(item))),
        scalar => push(key, &percent(scalar)),
    }
}

/// The text of a header, which is not percent-encoded.
pub(super) fn in_header(value: &Value, encoding: Encoding) -> String {
    let plain_keyed = |explode: bool| match value {
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        Value::Object(fields) => {
            let link = if explode { "=" } else { "," };
            let texts: Vec<_> =
                fields.iter().map(|(key, value)| format!("{key}{link}{}", plain(value))).collect();
            texts.join(",")
        }
        scalar => plain(scalar),
    };
    match encoding {
        Encoding::Json => value.to_string(),
        Encoding::Style { explode, .. } => plain_keyed(explode),
    }
}

/// The text of a cookie's value, encoded.
pub(super) fn in_cookie(value: &Value, encoding: Encoding) -> String {
    match encoding {
        Encoding::Json => utf8_percent_encode(&value.to_string(), VALUE).to_string(),
        Encoding::Style { .. } => joined(value, ",", &|value| encode(value, false)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The table of styles in the specification.
    #[test]
    fn values_are_written_as_the_specification_shows() {
        let (scalar, array, object) =
            (json!("blue"), json!(["blue", "black", "brown"]), json!({"R": 100, "G": 200, "B": 150}));
        let path = |style, explode, value: &Value| {
            in_path("color", value, Encoding::Style { style, explode, allow_reserved: false })
        };
        let query = |style, explode, value: &Value| {
            let mut text = String::new();
            in_query(&mut text, "color", value, Encoding::Style { style, explode, allow_reserved: false });
            text
        };
        for (found, wanted) in [
            (path(Style::Matrix, false, &scalar), ";color=blue"),
            (path(Style::Matrix, false, &array), ";color=blue,black,brown"),
            (path(Style::Matrix, false, &object), ";color=R,100,G,200,B,150"),
            (path(Style::Matrix, true, &array), ";color=blue;color=black;color=brown"),
            (path(Style::Matrix, true, &object), ";R=100;G=200;B=150"),
            (path(Style::Label, false, &scalar), ".blue"),
            (path(Style::Label, false, &array), ".blue,black,brown"),
            (path(Style::Label, true, &array), ".blue.black.brown"),
            (path(Style::Label, true, &object), ".R=100.G=200.B=150"),
            (path(Style::Simple, false, &array), "blue,black,brown"),
            (path(Style::Simple, false, &object), "R,100,G,200,B,150"),
            (path(Style::Simple, true, &object), "R=100,G=200,B=150"),
            (query(Style::Form, true, &scalar), "color=blue"),
            (query(Style::Form, false, &array), "color=blue,black,brown"),
            (query(Style::Form, false, &object), "color=R,100,G,200,B,150"),
            (query(Style::Form, true, &array), "color=blue&color=black&color=brown"),
            (query(Style::Form, true, &object), "R=100&G=200&B=150"),
            (query(Style::SpaceDelimited, false, &array), "color=blue%20black%20brown"),
            (query(Style::PipeDelimited, false, &array), "color=blue%7Cblack%7Cbrown"),
            (query(Style::DeepObject, true, &object), "color[R]=100&color[G]=200&color[B]=150"),
            (query(Style::DeepObject, true, &json!({"a": {"b": 1}})), "color[a][b]=1"),
        ] {
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn nothing_in_a_value_separates_parameters() {
        let mut query = String::new();
        let reserved = Encoding::Style { style: Style::Form, explode: true, allow_reserved: true };
        in_query(&mut query, "a&b", &json!("x/y?z&admin=1#f"), reserved);
        assert_eq!(query, "a%26b=x/y?z%26admin=1%23f");
    }
}
