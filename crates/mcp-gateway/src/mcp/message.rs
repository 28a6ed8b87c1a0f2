//! What a body is: a request, a notification, a response, or a batch of them.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::{Map, Value, value::RawValue};

use super::{BATCH, error::RpcError};

/// A body.
pub(super) enum Incoming<'a> {
    One(Message<'a>),
    Batch(Vec<Message<'a>>),
}

/// A message, as far as every one is read.
#[derive(Debug)]
pub(super) enum Message<'a> {
    Request {
        id: &'a RawValue,
        method: Cow<'a, str>,
        params: Box<Params>,
    },
    Notification {
        method: Cow<'a, str>,
    },
    Response,
    /// What could not be read, with its id if that could.
    Broken {
        id: Option<&'a RawValue>,
        error: RpcError,
    },
}

/// The parameters of every method that is known here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Params {
    #[serde(rename = "_meta", default)]
    pub(super) meta: Meta,
    pub(super) name: Option<Value>,
    pub(super) arguments: Option<Value>,
    pub(super) cursor: Option<Value>,
    pub(super) protocol_version: Option<Value>,
    pub(super) notifications: Option<Value>,
    pub(super) uri: Option<Value>,
}

/// What a modern request says about itself; the trace in both eras.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Meta {
    #[serde(rename = "io.modelcontextprotocol/protocolVersion")]
    pub(super) version: Option<Value>,
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities")]
    pub(super) capabilities: Option<Value>,
    #[serde(rename = "io.modelcontextprotocol/clientInfo")]
    pub(super) client: Option<Value>,
    pub(super) traceparent: Option<Value>,
}

impl Params {
    /// The arguments of a call; none are the same as no arguments.
    pub(super) fn arguments(&mut self) -> Result<Map<String, Value>, RpcError> {
        match self.arguments.take() {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(arguments)) => Ok(arguments),
            Some(_) => Err(RpcError::invalid_params("`arguments` must be an object")),
        }
    }
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    result: Option<IgnoredAny>,
    error: Option<IgnoredAny>,
}

/// Tells `"id": null` from no id.
fn present<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Reads a body.
pub(super) fn read(body: &[u8]) -> Result<Incoming<'_>, RpcError> {
    let text =
        std::str::from_utf8(body).map_err(|_| RpcError::parse("Parse error: the body is not UTF-8"))?;
    if !text.trim_start().starts_with('[') {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| parse_error(&error))?;
        return Ok(Incoming::One(message(raw)));
    }
    let all: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| parse_error(&error))?;
    if all.is_empty() || all.len() > BATCH {
        return Err(RpcError::invalid_request(format!("Invalid Request: a batch has 1 to {BATCH} messages")));
    }
    Ok(Incoming::Batch(all.into_iter().map(message).collect()))
}

fn parse_error(error: &serde_json::Error) -> RpcError {
    RpcError::parse(format!("Parse error: {error}"))
}

fn message(raw: &RawValue) -> Message<'_> {
    let broken = |id, text: &str| Message::Broken {
        id,
        error: RpcError::invalid_request(format!("Invalid Request: {text}")),
    };
    let Ok(fields) = serde_json::from_str::<Raw<'_>>(raw.get()) else {
        return broken(None, "that is no JSON-RPC message");
    };
    let id = match fields.id {
        Some(id) if !is_id(id) => return broken(None, "an id is a text or a whole number"),
        id => id,
    };
    if fields.jsonrpc.as_deref() != Some("2.0") {
        return broken(id, "`jsonrpc` must be `2.0`");
    }
    match (fields.method, id) {
        (Some(method), Some(id)) => match params(fields.params) {
            Ok(params) => Message::Request { id, method, params: Box::new(params) },
            Err(error) => Message::Broken { id: Some(id), error },
        },
        (Some(method), None) => Message::Notification { method },
        (None, _) if fields.result.is_some() || fields.error.is_some() => Message::Response,
        (None, id) => broken(id, "`method` is missing"),
    }
}

fn params(raw: Option<&RawValue>) -> Result<Params, RpcError> {
    let Some(raw) = raw else { return Ok(Params::default()) };
    if !raw.get().starts_with('{') {
        return Err(RpcError::malformed("Invalid params: `params` must be an object"));
    }
    serde_json::from_str(raw.get()).map_err(|error| RpcError::malformed(format!("Invalid params: {error}")))
}

fn is_id(id: &RawValue) -> bool {
    let text = id.get();
    text.len() <= 1_000 && (text.starts_with('"') || text.parse::<i64>().is_ok())
}
