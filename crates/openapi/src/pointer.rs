//! JSON pointers and references inside one document.

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// References that point at references are followed this far; a longer chain is a cycle or as bad as one.
const HOPS: usize = 64;

/// `pointer` with `token` appended, escaped.
pub(crate) fn join(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}

/// The pointer that a reference inside the document stands for; `None` if it leaves the document.
pub(crate) fn local(reference: &str) -> Option<String> {
    let fragment = reference.strip_prefix('#')?;
    if !fragment.is_empty() && !fragment.starts_with('/') {
        return None;
    }
    percent_decode_str(fragment).decode_utf8().ok().map(Into::into)
}

/// The last part of a pointer, unescaped.
pub(crate) fn last(pointer: &str) -> String {
    pointer.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~")
}

/// Follows `$ref` at `value` until something else stands there; `None` if it leads nowhere.
pub(crate) fn follow<'d>(root: &'d Value, value: &'d Value) -> Option<&'d Value> {
    let mut value = value;
    for _ in 0..HOPS {
        match value.get("$ref").and_then(Value::as_str) {
            None => return Some(value),
            Some(reference) => value = root.pointer(&local(reference)?)?,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_followed_to_their_end_and_cycles_lead_nowhere() {
        let root = json!({"a": {"$ref": "#/b~1c"}, "b/c": {"x": 1}, "d": {"$ref": "#/d"}, "e f": {"y": 2}});
        assert_eq!(follow(&root, &root["a"]), Some(&json!({"x": 1})));
        assert_eq!(follow(&root, &root["d"]), None);
        assert_eq!(follow(&root, &json!({"$ref": "#/e%20f"})), Some(&json!({"y": 2})));
        assert_eq!(follow(&root, &json!({"$ref": "https://example.org/a.json#/b"})), None);
        assert_eq!(join("/paths", "/a~b"), "/paths/~1a~0b");
        assert_eq!(last("/paths/~1a~0b"), "/a~b");
    }
}
