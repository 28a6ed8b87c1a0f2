//! `tools/call`: arguments checked, request built, backend asked, answer told.

use std::time::Instant;

use bytes::Bytes;
use openapi::{Answer, Block};
use reqwest::{
    Method,
    header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER},
};
use serde_json::{Map, Value, json};
use tracing::{Instrument as _, Span, info_span};

use super::{
    dispatch::{Context, Failed},
    error::RpcError,
    message::Params,
    metadata, server_meta,
};
use crate::{
    access::{Caller, Denied},
    builtin,
    metrics::{INVALID, SUCCESS, TOOL_ERROR},
    routes::{Era, Route, ServedTool},
    upstream,
};

/// How much of an answer that is too long is shown.
const SHOWN: usize = 4_000;

/// A tool's result before it is written for an era.
struct Outcome {
    answer: Answer,
    status: &'static str,
}

impl Outcome {
    fn error(status: &'static str, text: String) -> Self {
        Self { answer: Answer { blocks: vec![Block::Text(text)], structured: None, is_error: true }, status }
    }
}

/// The result of a call.
pub(super) async fn call(context: &Context<'_>, era: Era, mut params: Params) -> Result<Bytes, Failed> {
    let Some(Value::String(name)) = params.name.take() else {
        return Err(RpcError::invalid_params("Invalid params: `name` is missing").into());
    };
    let arguments = params.arguments()?;
    let span = info_span!("mcp.tools.call", otel.name = %format_args!("tools/call {}", shown(&name)),
        gen_ai.operation.name = "execute_tool", gen_ai.tool.name = %shown(&name), caller = context.caller.subject());
    if let Some(Value::String(parent)) = &params.meta.traceparent {
        runtime::trace_context::adopt(&span, parent);
    }
    let started = Instant::now();
    let (outcome, fits) = outcome(context, &name, arguments).instrument(span).await?;
    context.gateway.metrics().called(&name, outcome.status, started.elapsed());
    Ok(written(outcome.answer, era, fits, &name))
}

/// What the tool gives, and whether its structure is an object whenever there is one.
async fn outcome(
    context: &Context<'_>,
    name: &str,
    arguments: Map<String, Value>,
) -> Result<(Outcome, bool), Failed> {
    if builtin::is(name) {
        let Caller::Known(principal) = context.caller else { return Err(context.sign_in()) };
        let outcome = match builtin::call(name, arguments, context.gateway, principal) {
            Ok(value) => {
                let blocks = vec![Block::Text(value.to_string())];
                Outcome {
                    answer: Answer { blocks, structured: Some(value), is_error: false },
                    status: SUCCESS,
                }
            }
            Err(text) => Outcome::error(INVALID, text),
        };
        return Ok((outcome, true));
    }
    let table = context.gateway.table();
    let anonymous = matches!(context.caller, Caller::Anonymous) && !context.gateway.mcp().anonymous;
    let unknown = || Failed::Rpc(RpcError::invalid_params(format!("Unknown tool: {}", shown(name))));
    let Some((route, served)) = table.tool(name) else {
        return Err(if anonymous { context.sign_in() } else { unknown() });
    };
    match context.caller.check(route) {
        Ok(()) => {}
        Err(Denied::NoToken) => return Err(context.sign_in()),
        // Whether another tenant has such a tool is nobody's business.
        Err(Denied::OtherTenant) => return Err(unknown()),
        Err(Denied::Scopes(scopes)) => {
            let answer = metadata::insufficient(context.request, context.gateway, &scopes);
            return Err(Failed::Http(Box::new(answer)));
        }
    }
    let outcome = ask(context, route, served, &arguments).await;
    Ok((outcome, served.tool.answers_objects()))
}

async fn ask(
    context: &Context<'_>,
    route: &Route,
    served: &ServedTool,
    arguments: &Map<String, Value>,
) -> Outcome {
    let violations = served.tool.violations(arguments);
    if !violations.is_empty() {
        let lines: Vec<_> = violations.iter().map(|violation| format!("- {violation}")).collect();
        return Outcome::error(INVALID, format!("The arguments don't fit the tool:\n{}", lines.join("\n")));
    }
    let request = match request(route, served, arguments) {
        Ok(request) => request,
        Err(text) => return Outcome::error(INVALID, text),
    };
    let answer = match context.executor.send(&route.upstream, request).await {
        Ok(answer) => answer,
        Err(error) => return failed(&error),
    };
    let status = answer.status().as_u16();
    Span::current().record("http.status", status);
    let header = |name: HeaderName| {
        answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let (content_type, retry_after) = (header(CONTENT_TYPE), header(RETRY_AFTER));
    let body = match context.executor.read(&route.upstream, answer, context.gateway.mcp().result_limit).await
    {
        Ok(body) => body,
        Err(error) => return failed(&error),
    };
    let mut answer = served.tool.answer(status, content_type.as_deref(), &body);
    if let (true, Some(wait)) = (answer.is_error, retry_after) {
        answer.blocks.push(Block::Text(format!("The backend asks to try again after: {wait}")));
    }
    let status = if answer.is_error { TOOL_ERROR } else { SUCCESS };
    Outcome { answer, status }
}

fn request(
    route: &Route,
    served: &ServedTool,
    arguments: &Map<String, Value>,
) -> Result<reqwest::Request, String> {
    let request = served.tool.request(arguments).map_err(|error| error.to_string())?;
    let url = request.url(&route.upstream.url).map_err(|error| error.to_string())?;
    let method = Method::from_bytes(request.method.as_str().as_bytes()).map_err(|error| error.to_string())?;
    let mut sent = reqwest::Request::new(method, url);
    let headers = sent.headers_mut();
    // Answers become text for a model, so they are not wanted compressed.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        let value = HeaderValue::from_bytes(value.as_bytes());
        let value = value.map_err(|_| format!("the header `{name}` can't have that value"))?;
        headers.append(name, value);
    }
    if let Some(body) = request.body {
        let content_type = HeaderValue::from_str(&body.content_type).map_err(|error| error.to_string())?;
        headers.insert(CONTENT_TYPE, content_type);
        *sent.body_mut() = Some(body.bytes.into());
    }
    Ok(sent)
}

fn failed(error: &upstream::Error) -> Outcome {
    let text = match error {
        upstream::Error::TooLarge { beginning, .. } => {
            let beginning: String = String::from_utf8_lossy(beginning).chars().take(SHOWN).collect();
            format!("{error}; narrow the request. It begins:\n{beginning}")
        }
        other => other.to_string(),
    };
    Outcome::error(TOOL_ERROR, text)
}

/// A result in the form of its era.
fn written(answer: Answer, era: Era, answers_objects: bool, name: &str) -> Bytes {
    let content: Vec<Value> = answer.blocks.into_iter().map(|block| content(block, name)).collect();
    let mut result = Map::new();
    result.insert("content".into(), Value::Array(content));
    if let Some(structured) = answer.structured {
        // Before 2026-07-28 structured content is an object.
        let fits = era == Era::Modern || (answers_objects && structured.is_object());
        let structured = if fits { structured } else { json!({ "result": structured }) };
        result.insert("structuredContent".into(), structured);
    }
    result.insert("isError".into(), Value::Bool(answer.is_error));
    let mut text = Value::Object(result).to_string();
    if era == Era::Modern {
        text.pop();
        text = format!("{text},\"resultType\":\"complete\",\"_meta\":{}}}", server_meta());
    }
    text.into()
}

fn content(block: Block, name: &str) -> Value {
    match block {
        Block::Text(text) => json!({ "type": "text", "text": text }),
        Block::Image { media_type, data } => json!({ "type": "image", "mimeType": media_type, "data": data }),
        Block::Audio { media_type, data } => json!({ "type": "audio", "mimeType": media_type, "data": data }),
        Block::Binary { media_type, data } => json!({
            "type": "resource",
            "resource": { "uri": format!("stoa://tools/{name}/result"), "mimeType": media_type, "blob": data },
        }),
    }
}

fn shown(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(80).collect()
}
