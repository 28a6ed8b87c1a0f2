//! Bodies: JSON, form, multipart, text and bytes.

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{
    ArgumentError, Body,
    style::{self, Encoding, Style},
};

/// How one part of a multipart body is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartPlan {
    /// Its own media type, if the document names one.
    pub(crate) content_type: Option<String>,
    /// Whether its argument is base64 of a file.
    pub(crate) binary: bool,
}

/// How a body is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    Json,
    Form,
    Multipart(BTreeMap<String, PartPlan>),
    Text,
    Binary,
}

/// Which arguments make the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BodyShape {
    /// One argument is the body.
    Whole { argument: String },
    /// Arguments (first) are fields (second) of the body.
    Fields(Vec<(String, String)>),
}

/// How arguments become a body.
#[derive(Clone, Debug)]
pub(crate) struct BodyPlan {
    pub(crate) media_type: String,
    pub(crate) kind: BodyKind,
    pub(crate) shape: BodyShape,
    pub(crate) required: bool,
}

impl BodyPlan {
    pub(super) fn build(&self, arguments: &Map<String, Value>) -> Result<Option<Body>, ArgumentError> {
        let gathered;
        let (argument, value) = match &self.shape {
            BodyShape::Whole { argument } => (argument.as_str(), arguments.get(argument)),
            BodyShape::Fields(fields) => {
                let given = fields
                    .iter()
                    .filter_map(|(argument, field)| Some((field.clone(), arguments.get(argument)?.clone())));
                let object: Map<_, _> = given.collect();
                gathered = Value::Object(object);
                let is_empty = gathered.as_object().is_none_or(Map::is_empty);
                ("body", (self.required || !is_empty).then_some(&gathered))
            }
        };
        let Some(value) = value else {
            if self.required {
                return Err(ArgumentError::Missing { argument: argument.to_owned() });
            }
            return Ok(None);
        };
        let unfit = |reason| ArgumentError::Unfit { argument: argument.to_owned(), reason };
        let body = |content_type: &str, bytes| Body { content_type: content_type.to_owned(), bytes };
        Ok(Some(match &self.kind {
            BodyKind::Json => body(&self.media_type, value.to_string().into_bytes()),
            BodyKind::Text => body(&self.media_type, style::plain(value).into_bytes()),
            BodyKind::Binary => {
                let text = value.as_str().ok_or_else(|| unfit("must be text in base64"))?;
                body(&self.media_type, decode(text).ok_or_else(|| unfit("is not base64"))?)
            }
            BodyKind::Form => {
                let fields = value.as_object().ok_or_else(|| unfit("must be an object"))?;
                body(&self.media_type, form(fields).into_bytes())
            }
            BodyKind::Multipart(parts) => {
                let fields = value.as_object().ok_or_else(|| unfit("must be an object"))?;
                multipart(fields, parts)?
            }
        }))
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    // Models like to send data URLs.
    let text = match text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((_, data)) => data,
        None => text,
    };
    STANDARD.decode(text.trim()).ok()
}

fn form(fields: &Map<String, Value>) -> String {
    let mut text = String::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        // An object in a form is JSON, as its default media type says.
        let encoding = match value {
            Value::Object(_) => Encoding::Json,
            _ => Encoding::Style { style: Style::Form, explode: true, allow_reserved: false },
        };
        style::in_query(&mut text, name, value, encoding);
    }
    text
}

fn multipart(fields: &Map<String, Value>, plans: &BTreeMap<String, PartPlan>) -> Result<Body, ArgumentError> {
    let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let plan = plans.get(name).cloned().unwrap_or_default();
        match value {
            Value::Array(items) => {
                for item in items {
                    parts.push(part(name, item, &plan)?);
                }
            }
            single => parts.push(part(name, single, &plan)?),
        }
    }
    // Drawn from the content, so that equal calls are equal bytes and no content holds its own hash.
    let mut hash = Sha256::new();
    for (head, bytes) in &parts {
        hash.update(head);
        hash.update(bytes);
    }
    let boundary = URL_SAFE_NO_PAD.encode(hash.finalize());
    let mut bytes = Vec::new();
    for (head, content) in parts {
        bytes.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
        bytes.extend_from_slice(&content);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(Body { content_type: format!("multipart/form-data; boundary={boundary}"), bytes })
}

fn part(name: &str, value: &Value, plan: &PartPlan) -> Result<(String, Vec<u8>), ArgumentError> {
    let escaped = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let disposition = format!("Content-Disposition: form-data; name=\"{escaped}\"");
    if plan.binary {
        let unfit = || ArgumentError::Unfit { argument: name.to_owned(), reason: "is not base64" };
        let bytes = value.as_str().and_then(decode).ok_or_else(unfit)?;
        let content_type = plan.content_type.as_deref().unwrap_or("application/octet-stream");
        let head = format!("{disposition}; filename=\"{escaped}\"\r\nContent-Type: {content_type}");
        return Ok((head, bytes));
    }
    let content_type = plan.content_type.as_deref().or(value.is_object().then_some("application/json"));
    let head = match content_type {
        Some(content_type) => format!("{disposition}\r\nContent-Type: {content_type}"),
        None => disposition,
    };
    Ok((head, style::plain(value).into_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn build(kind: BodyKind, value: &Value) -> Result<Option<Body>, ArgumentError> {
        let shape = BodyShape::Whole { argument: "body".into() };
        let plan = BodyPlan { media_type: "x/y".into(), kind, shape, required: true };
        plan.build(json!({ "body": value }).as_object().unwrap())
    }

    #[test]
    fn a_multipart_body_holds_texts_objects_and_files() {
        let file = PartPlan { content_type: Some("image/png".into()), binary: true };
        let kind = BodyKind::Multipart(BTreeMap::from([("file".to_owned(), file)]));
        let body = build(kind, &json!({"note": "hi", "tags": ["a", "b"], "meta": {"k": 1}, "file": "iVA="}));
        let body = body.unwrap().unwrap();
        let boundary = body.content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        let text = String::from_utf8_lossy(&body.bytes).replace(boundary, "B").replace("\r\n", "\n");
        let disposition = "Content-Disposition: form-data; name=";
        assert_eq!(
            text,
            format!(
                "--B\n{disposition}\"note\"\n\nhi\n--B\n{disposition}\"tags\"\n\na\n--B\n{disposition}\"tags\"\n\nb\n\
                 --B\n{disposition}\"meta\"\nContent-Type: application/json\n\n{{\"k\":1}}\n\
                 --B\n{disposition}\"file\"; filename=\"file\"\nContent-Type: image/png\n\n\u{fffd}P\n--B--\n"
            )
        );
    }

    #[test]
    fn forms_texts_and_bytes_are_what_they_say() {
        let bytes = |kind, value: Value| build(kind, &value).unwrap().unwrap().bytes;
        assert_eq!(
            bytes(BodyKind::Form, json!({"a": "x y&z", "b": [1, 2], "c": null})),
            b"a=x%20y%26z&b=1&b=2"
        );
        assert_eq!(bytes(BodyKind::Text, json!("plain")), b"plain");
        assert_eq!(bytes(BodyKind::Binary, json!("data:image/png;base64,AQI=")), [1, 2]);
        let error = build(BodyKind::Binary, &json!("no base64!")).unwrap_err();
        assert_eq!(error.to_string(), "the argument `body` is not base64");
    }
}
