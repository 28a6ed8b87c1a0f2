//! What an operation answers when it succeeds.

use serde_json::{Map, Value};

use crate::{
    answer::is_json,
    document::{Dialect, Document, OperationAt},
};

/// The answer as the document declares it.
pub(super) struct Output<'d> {
    /// The schema of the JSON, if all successful answers that have one agree.
    pub(super) schema: Option<&'d Value>,
    /// What to ask for.
    pub(super) accept: Option<String>,
}

pub(super) fn of<'d>(document: &'d Document, at: OperationAt<'d>) -> Output<'d> {
    let responses = at.operation.get("responses").and_then(Value::as_object).into_iter().flatten();
    let successes: Vec<&Value> = responses
        .filter(|(status, _)| status.starts_with('2'))
        .filter_map(|(_, response)| document.follow(response))
        .collect();
    if document.dialect() == Dialect::V2_0 {
        let produces = at.operation.get("produces").or_else(|| document.as_json().get("produces"));
        let produces: Vec<&str> =
            produces.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let json = produces.is_empty() || produces.iter().any(|name| is_json(name));
        let schemas: Vec<_> = successes.iter().filter_map(|response| response.get("schema")).collect();
        let schema = agreed(&schemas).filter(|schema| json && schema["type"] != "file");
        return Output { schema, accept: accept(produces.into_iter()) };
    }
    let contents: Vec<&Map<String, Value>> =
        successes.iter().filter_map(|response| response.get("content")?.as_object()).collect();
    let schemas: Vec<_> = contents.iter().filter_map(|content| json_schema(content)).collect();
    // An answer that is sometimes no JSON at all can't be promised to have a structure.
    let all_json = contents.iter().all(|content| content.keys().all(|name| is_json(name)));
    let names = contents.iter().flat_map(|content| content.keys().map(String::as_str));
    Output { schema: agreed(&schemas).filter(|_| all_json), accept: accept(names) }
}

fn json_schema(content: &Map<String, Value>) -> Option<&Value> {
    content.iter().find(|(name, _)| is_json(name)).and_then(|(_, media)| media.get("schema"))
}

fn agreed<'d>(schemas: &[&'d Value]) -> Option<&'d Value> {
    let first = schemas.first()?;
    schemas.iter().all(|schema| schema == first).then_some(*first)
}

/// JSON if the operation has it, otherwise whatever it has.
fn accept<'d>(names: impl Iterator<Item = &'d str>) -> Option<String> {
    let mut others = Vec::new();
    for name in names.filter(|name| name.bytes().all(|byte| (0x20..0x7f).contains(&byte))) {
        if is_json(name) {
            return Some(name.to_owned());
        }
        if !others.contains(&name) {
            others.push(name);
        }
    }
    (!others.is_empty()).then(|| others.join(", "))
}
