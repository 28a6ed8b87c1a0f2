//! The request body of an operation, whichever dialect describes it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    answer::is_json,
    document::{Dialect, Document, OperationAt},
    request::{BodyKind, PartPlan},
};

/// References and `allOf` branches are followed this deep when a body is looked at for its fields.
const NESTING: usize = 12;

/// One field of a body that is an object.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) schema: Value,
    pub(super) required: bool,
}

/// A body as the document declares it.
pub(super) struct DeclaredBody {
    pub(super) media_type: String,
    pub(super) kind: BodyKind,
    pub(super) schema: Value,
    pub(super) required: bool,
    pub(super) description: Option<String>,
    /// The fields, if the body is nothing but an object of these.
    pub(super) fields: Option<Vec<Field>>,
}

pub(super) fn of(document: &Document, at: OperationAt<'_>) -> Option<DeclaredBody> {
    if document.dialect() == Dialect::V2_0 { of_2_0(document, at) } else { of_3(document, at) }
}

fn of_3(document: &Document, at: OperationAt<'_>) -> Option<DeclaredBody> {
    let body = document.follow(at.operation.get("requestBody")?)?;
    let content = body.get("content")?.as_object()?;
    let (media_type, media) = content.iter().min_by_key(|(name, _)| rank(name))?;
    let schema = media.get("schema").cloned().unwrap_or(json!({}));
    let resolved = document.follow(&schema).cloned().unwrap_or(json!({}));
    let kind = kind(media_type, || parts(document, &resolved, media.get("encoding")));
    Some(declared(
        document,
        concrete(media_type, &kind),
        kind,
        schema,
        body.get("required") == Some(&Value::Bool(true)),
        body.get("description").and_then(Value::as_str).map(str::to_owned),
    ))
}

/// In 2.0 a body is a parameter, or the form parameters together.
fn of_2_0(document: &Document, at: OperationAt<'_>) -> Option<DeclaredBody> {
    let parameters = super::parameters::declared(document, at);
    let consumes = at.operation.get("consumes").or_else(|| document.as_json().get("consumes"));
    let consumes: Vec<&str> =
        consumes.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let located = |place: &'static str| {
        parameters.iter().filter(move |parameter| parameter.get("in").is_some_and(|found| found == place))
    };
    if let Some(body) = located("body").next() {
        let media_type = consumes.iter().min_by_key(|name| rank(name)).copied().unwrap_or("application/json");
        // A body parameter has a schema, so a form is no way to write it.
        let media_type =
            if rank(media_type) <= 1 || rank(media_type) >= 4 { media_type } else { "application/json" };
        let kind = kind(media_type, BTreeMap::new);
        return Some(declared(
            document,
            concrete(media_type, &kind),
            kind,
            body.get("schema").cloned().unwrap_or(json!({})),
            body.get("required") == Some(&Value::Bool(true)),
            body.get("description").and_then(Value::as_str).map(str::to_owned),
        ));
    }
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut files = false;
    for parameter in located("formData") {
        let Some(name) = parameter.get("name").and_then(Value::as_str) else { continue };
        files |= parameter.get("type").is_some_and(|kind| kind == "file");
        let kept = parameter.iter().filter(|(key, _)| !["name", "in", "required"].contains(&key.as_str()));
        let schema: Map<_, _> = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
        properties.insert(name.to_owned(), Value::Object(schema));
        if parameter.get("required") == Some(&Value::Bool(true)) {
            required.push(json!(name));
        }
    }
    if properties.is_empty() {
        return None;
    }
    let is_required = !required.is_empty();
    let schema = json!({"type": "object", "properties": properties, "required": required});
    let multipart = files || consumes.first().is_some_and(|first| first.starts_with("multipart/"));
    let (media_type, kind) = if multipart {
        ("multipart/form-data", BodyKind::Multipart(parts(document, &schema, None)))
    } else {
        ("application/x-www-form-urlencoded", BodyKind::Form)
    };
    Some(declared(document, media_type.to_owned(), kind, schema, is_required, None))
}

fn declared(
    document: &Document,
    media_type: String,
    kind: BodyKind,
    schema: Value,
    required: bool,
    description: Option<String>,
) -> DeclaredBody {
    let flat = !matches!(kind, BodyKind::Text | BodyKind::Binary);
    let fields = flat.then(|| fields(document, &schema, NESTING)).flatten();
    let fields = fields.filter(|fields| !fields.is_empty());
    let schema = match kind {
        BodyKind::Binary => json!({"type": "string", "format": "byte"}),
        BodyKind::Text => json!({"type": "string"}),
        _ => schema,
    };
    DeclaredBody { media_type, kind, schema, required, description, fields }
}

/// JSON before forms before text before bytes.
fn rank(media_type: &str) -> u8 {
    let plain = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match plain.as_str() {
        "application/json" => 0,
        json if is_json(json) || json == "*/*" || json == "application/*" => 1,
        "application/x-www-form-urlencoded" => 2,
        "multipart/form-data" => 3,
        text if text.starts_with("text/") || text.ends_with("+xml") || text.ends_with("/xml") => 4,
        _ => 5,
    }
}

fn kind(media_type: &str, parts: impl FnOnce() -> BTreeMap<String, PartPlan>) -> BodyKind {
    match rank(media_type) {
        0 | 1 => BodyKind::Json,
        2 => BodyKind::Form,
        3 => BodyKind::Multipart(parts()),
        4 => BodyKind::Text,
        _ => BodyKind::Binary,
    }
}

/// A range such as `image/*` is not a value of `Content-Type`.
fn concrete(media_type: &str, kind: &BodyKind) -> String {
    let legal = media_type.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    match kind {
        _ if legal && !media_type.contains('*') => media_type.to_owned(),
        BodyKind::Json => "application/json".into(),
        BodyKind::Text => "text/plain; charset=utf-8".into(),
        _ => "application/octet-stream".into(),
    }
}

fn parts(document: &Document, schema: &Value, encoding: Option<&Value>) -> BTreeMap<String, PartPlan> {
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let part = |(name, schema): (&String, &Value)| {
        let schema = document.follow(schema).unwrap_or(schema);
        let item = if schema["type"] == "array" { &schema["items"] } else { schema };
        let item = document.follow(item).unwrap_or(item);
        let content_type = encoding.and_then(|encoding| encoding.get(name)?.get("contentType")?.as_str());
        // Several types may be named; a part has one.
        let content_type = content_type.and_then(|types| types.split(',').next()).map(str::trim);
        let content_type = content_type.or_else(|| item["contentMediaType"].as_str());
        let legal =
            |text: &&str| text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && !text.contains('*');
        let binary = item["format"] == "binary"
            || item["type"] == "file"
            || (item["contentMediaType"].is_string() && item["contentEncoding"].is_null());
        (name.clone(), PartPlan { content_type: content_type.filter(legal).map(str::to_owned), binary })
    };
    properties.map(part).collect()
}

/// The fields of a schema that is an object and nothing else; `allOf` of such objects counts as one.
fn fields(document: &Document, schema: &Value, nesting: usize) -> Option<Vec<Field>> {
    let schema = document.follow(schema)?.as_object()?;
    let nesting = nesting.checked_sub(1)?;
    let is_object = match schema.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(_) => false,
        None => schema.contains_key("properties") || schema.contains_key("allOf"),
    };
    let alternatives = [
        "anyOf",
        "oneOf",
        "not",
        "if",
        "patternProperties",
        "dependentSchemas",
        "dependentRequired",
        "minProperties",
        "propertyNames",
        "discriminator",
    ];
    let open = schema.get("additionalProperties").is_some_and(|more| more != &Value::Bool(false));
    let nullable = schema.get("nullable") == Some(&Value::Bool(true));
    if !is_object || open || nullable || alternatives.iter().any(|key| schema.contains_key(*key)) {
        return None;
    }
    let mut found: Vec<Field> = Vec::new();
    let mut add = |field: Field| match found.iter_mut().find(|known| known.name == field.name) {
        Some(known) => {
            known.required |= field.required;
            known.schema = field.schema;
        }
        None => found.push(field),
    };
    for branch in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        fields(document, branch, nesting)?.into_iter().for_each(&mut add);
    }
    for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if schema.get("readOnly") != Some(&Value::Bool(true)) {
            add(Field { name: name.clone(), schema: schema.clone(), required: false });
        }
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    for name in required.filter_map(Value::as_str) {
        if let Some(field) = found.iter_mut().find(|field| field.name == name) {
            field.required = true;
        }
    }
    Some(found)
}
