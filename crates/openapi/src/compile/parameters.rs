//! The parameters of an operation, whichever dialect describes them.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::{
    document::{Dialect, Document, OperationAt},
    request::{Encoding, Location, PathTemplate, Style},
};

/// Headers that are the gateway's to set, or that would speak in another's name.
const RESERVED_HEADERS: [&str; 22] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "upgrade",
    "via",
];
const RESERVED_PREFIXES: [&str; 4] = ["mcp-", "stoa-", "x-forwarded-", "proxy-"];

/// One parameter as the document declares it.
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) location: Location,
    pub(super) required: bool,
    pub(super) encoding: Encoding,
    pub(super) schema: Value,
    pub(super) description: Option<String>,
}

/// The parameters that a caller fills, in the order of the template and then of the document.
pub(super) fn of(
    document: &Document,
    at: OperationAt<'_>,
    template: &PathTemplate,
    credentials: &HashSet<(String, String)>,
) -> Vec<Parameter> {
    let mut found: Vec<Parameter> = Vec::new();
    for declared in declared(document, at) {
        let Some(parameter) = parameter(document, declared) else { continue };
        let place = (parameter.location.as_str().to_owned(), parameter.name.to_ascii_lowercase());
        let stray =
            parameter.location == Location::Path && !template.parameters().any(|name| name == parameter.name);
        if stray || credentials.contains(&place) || is_reserved(&parameter) {
            continue;
        }
        found.push(parameter);
    }
    for name in template.parameters() {
        if !found.iter().any(|known| known.location == Location::Path && known.name == name) {
            found.push(undeclared(name));
        }
    }
    found.sort_by_key(|parameter| parameter.location != Location::Path);
    found
}

/// What the operation declares and, where it doesn't, what its path item declares.
pub(crate) fn declared<'d>(document: &'d Document, at: OperationAt<'d>) -> Vec<&'d Map<String, Value>> {
    let list = |value: Option<&'d Value>| {
        let items = value.and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|item| document.follow(item)?.as_object()).collect::<Vec<_>>()
    };
    let mut found = list(at.operation.get("parameters"));
    let key = |parameter: &Map<String, Value>| (parameter.get("in").cloned(), parameter.get("name").cloned());
    let own: HashSet<_> = found.iter().map(|parameter| format!("{:?}", key(parameter))).collect();
    let inherited = list(at.item.get("parameters")).into_iter();
    found.extend(inherited.filter(|parameter| !own.contains(&format!("{:?}", key(parameter)))));
    found
}

fn is_reserved(parameter: &Parameter) -> bool {
    if parameter.location != Location::Header {
        return false;
    }
    let name = parameter.name.to_ascii_lowercase();
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    RESERVED_HEADERS.contains(&name.as_str())
        || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || !name.bytes().all(token)
}

fn parameter(document: &Document, declared: &Map<String, Value>) -> Option<Parameter> {
    let text = |key: &str| declared.get(key).and_then(Value::as_str);
    let name = text("name").filter(|name| !name.is_empty())?.to_owned();
    let location = match text("in")? {
        "path" => Location::Path,
        "query" => Location::Query,
        "header" => Location::Header,
        "cookie" => Location::Cookie,
        _ => return None,
    };
    // A cookie's name is written as it is, so it may not hold a separator.
    if location == Location::Cookie && name.contains(|c: char| !c.is_ascii_graphic() || ";=,\"".contains(c)) {
        return None;
    }
    let (schema, encoding) = if document.dialect() == Dialect::V2_0 {
        (flat_schema(declared), collection_format(text("collectionFormat"), location))
    } else if let Some(content) = declared.get("content").and_then(Value::as_object) {
        let media = content.values().next();
        (media.and_then(|media| media.get("schema")).cloned().unwrap_or(json!({})), Encoding::Json)
    } else {
        let schema = declared.get("schema").cloned().unwrap_or(json!({}));
        (schema, styled(declared, location))
    };
    Some(Parameter {
        name,
        location,
        required: location == Location::Path || declared.get("required") == Some(&Value::Bool(true)),
        encoding,
        schema,
        description: text("description").map(str::to_owned),
    })
}

fn undeclared(name: &str) -> Parameter {
    Parameter {
        name: name.to_owned(),
        location: Location::Path,
        required: true,
        encoding: Encoding::Style { style: Style::Simple, explode: false, allow_reserved: false },
        schema: json!({"type": "string"}),
        description: None,
    }
}

fn styled(declared: &Map<String, Value>, location: Location) -> Encoding {
    let style = match (declared.get("style").and_then(Value::as_str), location) {
        (Some("label"), Location::Path) => Style::Label,
        (Some("matrix"), Location::Path) => Style::Matrix,
        (Some("spaceDelimited"), Location::Query) => Style::SpaceDelimited,
        (Some("pipeDelimited"), Location::Query) => Style::PipeDelimited,
        (Some("deepObject"), Location::Query) => Style::DeepObject,
        (_, Location::Query | Location::Cookie) => Style::Form,
        (_, Location::Path | Location::Header) => Style::Simple,
    };
    let explode = declared.get("explode").and_then(Value::as_bool).unwrap_or(style == Style::Form);
    let allow_reserved = declared.get("allowReserved") == Some(&Value::Bool(true));
    Encoding::Style { style, explode, allow_reserved }
}

/// In 2.0 the schema's keywords stand in the parameter itself.
fn flat_schema(declared: &Map<String, Value>) -> Value {
    let own = ["name", "in", "required", "description", "collectionFormat", "allowEmptyValue"];
    let kept = declared.iter().filter(|(key, _)| !own.contains(&key.as_str()));
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn collection_format(format: Option<&str>, location: Location) -> Encoding {
    let (style, explode) = match (format, location) {
        (Some("multi"), _) => (Style::Form, true),
        (Some("ssv"), _) => (Style::SpaceDelimited, false),
        (Some("tsv"), _) => (Style::TabDelimited, false),
        (Some("pipes"), _) => (Style::PipeDelimited, false),
        (_, Location::Query | Location::Cookie) => (Style::Form, false),
        (_, Location::Path | Location::Header) => (Style::Simple, false),
    };
    Encoding::Style { style, explode, allow_reserved: false }
}
