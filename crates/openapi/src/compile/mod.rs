//! Operations to tools.

mod arguments;
mod body;
mod output;
mod parameters;

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};

use self::arguments::Arguments;
pub(crate) use self::parameters::declared as declared_parameters;
use crate::{
    document::{Document, OperationAt},
    name,
    request::{PathTemplate, Plan},
    schema::{Direction, Gatherer, Part, Patterns},
    text,
    tool::{Annotations, Method, Tool},
};

/// Longest description of a tool.
const DESCRIPTION: usize = 1_500;

/// One tool per operation, in the order of the document; an operation whose path can't be served has none.
pub(crate) fn tools(document: &Document) -> Vec<Tool> {
    let mut gatherer = Gatherer::new(document);
    let operations: Vec<_> = document.walk().collect();
    let names = name::unique(&operations.iter().map(wished).collect::<Vec<_>>());
    let credentials = credentials(document);
    let compiled = operations.into_iter().zip(names);
    compiled.filter_map(|(at, name)| tool(document, &mut gatherer, &credentials, at, name)).collect()
}

fn wished(at: &OperationAt<'_>) -> (String, String) {
    let name = name::of_operation(at.operation["operationId"].as_str(), at.method.key(), at.path);
    (name, format!("{} {}", at.method, at.path))
}

fn tool(
    document: &Document,
    gatherer: &mut Gatherer<'_>,
    credentials: &HashSet<(String, String)>,
    at: OperationAt<'_>,
    name: String,
) -> Option<Tool> {
    let template = PathTemplate::parse(at.path).ok()?;
    let parameters = parameters::of(document, at, &template, credentials);
    let body = body::of(document, at);
    let output = output::of(document, at);

    let mut arguments = Arguments::of(&parameters, body.as_ref());
    let parameters = parameters.iter().map(|parameter| arguments.parameter(parameter, gatherer)).collect();
    let body = body.map(|body| arguments.body(body, gatherer));
    let input_schema = input_schema(arguments, gatherer, document.limits().input_schema_bytes);
    let output_schema = output.schema.and_then(|schema| {
        let limit = document.limits().output_schema_bytes;
        output_schema(gatherer, schema, limit)
    });

    let text = |key: &str| at.operation[key].as_str().or_else(|| at.item.get(key)?.as_str());
    let fallback = format!("{} {}", at.method, at.path);
    let title = text::clean(text("summary").unwrap_or(&fallback), 120);
    Some(Tool {
        name,
        title: if title.is_empty() { fallback.clone() } else { title },
        description: description(text("summary"), text("description"), &fallback),
        input_schema,
        output_schema,
        annotations: annotations(at.method),
        scopes: scopes(document, at.operation),
        method: at.method,
        path: at.path.to_owned(),
        operation_id: at.operation["operationId"].as_str().map(str::to_owned),
        deprecated: at.operation["deprecated"] == true,
        plan: Plan { template, parameters, body, accept: output.accept },
        patterns: Patterns::default(),
    })
}

fn input_schema(arguments: Arguments, gatherer: &mut Gatherer<'_>, limit: usize) -> Value {
    let (properties, required, parts) = arguments.finish();
    let mut root = Map::new();
    root.insert("type".into(), json!("object"));
    root.insert("properties".into(), Value::Object(properties));
    if !required.is_empty() {
        root.insert("required".into(), json!(required));
    }
    root.insert("additionalProperties".into(), json!(false));
    let names: Vec<String> =
        root["properties"].as_object().into_iter().flat_map(Map::keys).cloned().collect();
    let (schema, complete) = gatherer.gather(root, &parts, Direction::Input, limit);
    if complete || parts.iter().map(|part| part.schema.to_string().len()).sum::<usize>() <= limit {
        return schema;
    }
    // Even the properties alone are too much: the names remain, and the operation decides.
    let properties: Map<_, _> = names.into_iter().map(|name| (name, json!({}))).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// An output schema that would be cut off is none: it would describe the wrong thing.
fn output_schema(gatherer: &mut Gatherer<'_>, schema: &Value, limit: usize) -> Option<Value> {
    let root = gatherer.document().follow(schema)?;
    let mut part: Part = gatherer.part(root, Direction::Output);
    let object = part.schema.as_object_mut()?;
    // At the top an object stays an object: clients of earlier revisions take nothing else.
    let is_object = match object.get("type") {
        Some(Value::Array(types)) => types.iter().any(|kind| kind == "object") && types.len() <= 2,
        Some(kind) => kind == "object",
        None => object.contains_key("properties"),
    };
    if is_object {
        object.insert("type".into(), json!("object"));
    }
    let root = object.clone();
    let (schema, complete) = gatherer.gather(root, &[part], Direction::Output, limit);
    (complete && schema.as_object().is_some_and(|schema| !schema.is_empty())).then_some(schema)
}

fn description(summary: Option<&str>, description: Option<&str>, fallback: &str) -> String {
    let summary = text::clean(summary.unwrap_or_default(), 300);
    let description = text::clean(description.unwrap_or_default(), DESCRIPTION);
    match (summary.as_str(), description.as_str()) {
        ("", "") => fallback.to_owned(),
        (only, "") | ("", only) => only.to_owned(),
        (summary, description) if description.starts_with(summary) => description.to_owned(),
        (summary, description) => format!("{summary}\n\n{description}"),
    }
}

fn annotations(method: Method) -> Annotations {
    Annotations {
        read_only: method.is_safe(),
        destructive: method == Method::Delete,
        idempotent: method.is_idempotent(),
    }
}

/// Places of API keys, as (location, name in lower case): a caller never fills them.
fn credentials(document: &Document) -> HashSet<(String, String)> {
    let schemes = security_schemes(document);
    let schemes = schemes.into_values().filter(|scheme| scheme["type"] == "apiKey");
    schemes
        .filter_map(|scheme| {
            let name = scheme["name"].as_str()?.to_ascii_lowercase();
            Some((scheme["in"].as_str()?.to_owned(), name))
        })
        .collect()
}

pub(crate) fn security_schemes(document: &Document) -> BTreeMap<&str, &Value> {
    let root = document.as_json();
    let schemes = root["components"]["securitySchemes"].as_object();
    let schemes = schemes.or_else(|| root["securityDefinitions"].as_object());
    let schemes = schemes.into_iter().flatten();
    schemes.filter_map(|(name, scheme)| Some((name.as_str(), document.follow(scheme)?))).collect()
}

/// The OAuth scopes of the first alternative that asks for some.
fn scopes(document: &Document, operation: &Value) -> Vec<String> {
    let alternatives = operation.get("security").or_else(|| document.as_json().get("security"));
    let schemes = security_schemes(document);
    let is_oauth = |name: &str| {
        schemes
            .get(name)
            .is_some_and(|scheme| scheme["type"] == "oauth2" || scheme["type"] == "openIdConnect")
    };
    let alternatives = alternatives.and_then(Value::as_array).into_iter().flatten();
    let mut alternatives = alternatives.map(|alternative| {
        let named = alternative.as_object().into_iter().flatten().filter(|(name, _)| is_oauth(name));
        let scopes = named.flat_map(|(_, scopes)| scopes.as_array().into_iter().flatten());
        scopes.filter_map(|scope| scope.as_str().map(str::to_owned)).collect::<Vec<_>>()
    });
    alternatives.find(|scopes| !scopes.is_empty()).unwrap_or_default()
}
