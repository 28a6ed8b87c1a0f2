//! One message, one answer.

use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use serde_json::{Value, json, value::RawValue};
use web::AuthError;

use super::{
    era::{self, LEGACY, SUPPORTED},
    error::RpcError,
    message::{Message, Params},
    metadata,
    reply::{Pieces, Reply},
    server_meta, stream,
};
use crate::{
    access::Caller,
    gateway::Gateway,
    routes::{Era, page},
    upstream::Executor,
};

/// What a client is told about us, in a sentence or two.
const INSTRUCTIONS: &str = "Tools are operations of the APIs that this tenant has deployed, named \
                            {tenant}--{api}--{operation}. Start with stoa_list_apis to see which APIs there are.";

/// For how long a client may keep what `server/discover` said.
const DISCOVERY_FRESH_MS: u32 = 300_000;

/// Everything that an answer may depend on.
pub(super) struct Context<'r> {
    pub(super) request: &'r HttpRequest,
    pub(super) gateway: &'r Gateway,
    pub(super) executor: &'r Executor,
    pub(super) caller: &'r Caller,
}

/// How a method ends without a result.
pub(super) enum Failed {
    Rpc(RpcError),
    Http(Box<HttpResponse>),
}

impl From<RpcError> for Failed {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl Context<'_> {
    /// The answers to a batch, in its order; a challenge to one is the answer to all.
    pub(super) async fn batch(&self, messages: Vec<Message<'_>>) -> HttpResponse {
        let version =
            self.request.headers().get("mcp-protocol-version").and_then(|version| version.to_str().ok());
        if !matches!(version, None | Some("2025-03-26")) {
            let error = RpcError::invalid_request("Invalid Request: this revision has no batches");
            return error.into_response(None);
        }
        let mut pieces: Vec<Bytes> = Vec::new();
        for message in messages {
            let response = match self.answer(message).await.into_pieces() {
                Ok(response) => response,
                Err(response) => return *response,
            };
            if !response.is_empty() {
                pieces.push(Bytes::from_static(if pieces.is_empty() { b"[" } else { b"," }));
                pieces.extend(response);
            }
        }
        if pieces.is_empty() {
            return HttpResponse::Accepted().finish();
        }
        pieces.push(Bytes::from_static(b"]"));
        HttpResponse::Ok().content_type("application/json").body(Pieces::of(pieces))
    }

    pub(super) async fn answer(&self, message: Message<'_>) -> Reply {
        match message {
            Message::Broken { id, error } => Reply::error(&error, id),
            Message::Request { id, method, params } => match self.result(id, &method, *params).await {
                Ok(reply) => reply,
                Err(Failed::Rpc(error)) => Reply::error(&error, Some(id)),
                Err(Failed::Http(response)) => Reply::Http(*response),
            },
            Message::Notification { .. } | Message::Response if !self.is_welcome() => {
                Reply::Http(metadata::unauthorized(self.request, self.gateway, &AuthError::Missing))
            }
            Message::Notification { method } => {
                tracing::debug!(method = %method.chars().take(80).collect::<String>(), "Notified");
                Reply::Accepted
            }
            Message::Response if era::may_open_stream(self.request) => Reply::Accepted,
            Message::Response => {
                let error =
                    RpcError::invalid_request("Invalid Request: nothing was asked that this could answer");
                Reply::error(&error, None)
            }
        }
    }

    async fn result(&self, id: &RawValue, method: &str, params: Params) -> Result<Reply, Failed> {
        let era = era::of(self.request, method, &params)?;
        // Whether a call needs a token is for its API to say.
        if method != "tools/call" && !self.is_welcome() {
            return Err(self.sign_in());
        }
        let result = match (era, method) {
            (_, "tools/list") => return Ok(self.list(id, era, &params)?),
            // Boxed, because it is large, and everything around it would be moved about with it.
            (_, "tools/call") => Box::pin(super::call::call(self, era, params)).await?,
            (Era::Legacy, "initialize") => initialize(&params)?,
            (Era::Legacy, "ping") => Bytes::from_static(b"{}"),
            (Era::Modern, "server/discover") => discover(),
            (Era::Modern, "subscriptions/listen") => return self.listen(id, &params),
            (Era::Legacy, _) => return Err(RpcError::no_method(method).into()),
            (Era::Modern, _) => return Err(RpcError::no_modern_method(method).into()),
        };
        Ok(Reply::result(id, &result))
    }

    /// Whether the caller may speak at all.
    fn is_welcome(&self) -> bool {
        matches!(self.caller, Caller::Known(_)) || self.gateway.mcp().anonymous
    }

    /// 401 and the way to a token.
    pub(super) fn sign_in(&self) -> Failed {
        Failed::Http(Box::new(metadata::unauthorized(self.request, self.gateway, &AuthError::Missing)))
    }

    fn list(&self, id: &RawValue, era: Era, params: &Params) -> Result<Reply, RpcError> {
        let cursor = match &params.cursor {
            None | Some(Value::Null) => None,
            Some(Value::String(cursor)) => Some(cursor.as_str()),
            Some(_) => return Err(RpcError::invalid_params("Invalid params: a cursor is a text")),
        };
        let table = self.gateway.table();
        let page = page(&table, &self.caller.audience(), era, self.gateway.mcp().page_size, cursor);
        let page =
            page.ok_or_else(|| RpcError::invalid_params("Invalid params: the cursor is none of ours"))?;
        Ok(Reply::Prepared { id: id.to_owned(), result: page })
    }

    fn listen(&self, id: &RawValue, params: &Params) -> Result<Reply, Failed> {
        let wanted = match &params.notifications {
            None => false,
            Some(Value::Object(filter)) => filter.get("toolsListChanged") == Some(&Value::Bool(true)),
            Some(_) => {
                return Err(RpcError::malformed("Invalid params: `notifications` must be an object").into());
            }
        };
        Ok(Reply::Http(stream::open(self.gateway, self.caller, Some((id.to_owned(), wanted)))))
    }
}

fn initialize(params: &Params) -> Result<Bytes, RpcError> {
    let Some(Value::String(wanted)) = &params.protocol_version else {
        return Err(RpcError::invalid_params("Invalid params: `protocolVersion` is missing"));
    };
    let version = LEGACY.into_iter().find(|version| version == wanted).unwrap_or(LEGACY[0]);
    let result = json!({
        "protocolVersion": version,
        "capabilities": { "tools": { "listChanged": true } },
        "serverInfo": { "name": "stoa-mcp-gateway", "title": "STOA", "version": env!("CARGO_PKG_VERSION") },
        "instructions": INSTRUCTIONS,
    });
    Ok(result.to_string().into())
}

fn discover() -> Bytes {
    let mut result = json!({
        "resultType": "complete",
        "supportedVersions": SUPPORTED,
        "capabilities": { "tools": { "listChanged": true } },
        "instructions": INSTRUCTIONS,
        "ttlMs": DISCOVERY_FRESH_MS,
        "cacheScope": "public",
    })
    .to_string();
    result.pop();
    format!("{result},\"_meta\":{}}}", server_meta()).into()
}
