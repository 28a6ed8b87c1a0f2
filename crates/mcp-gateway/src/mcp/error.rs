//! Protocol errors: their codes and the HTTP status that each comes with.

use actix_web::{HttpResponse, http::StatusCode};
use serde_json::{Value, json, value::RawValue};

use super::era::SUPPORTED;

/// An error as JSON-RPC has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RpcError {
    pub(super) status: StatusCode,
    pub(super) code: i32,
    pub(super) message: String,
    pub(super) data: Option<Value>,
}

impl RpcError {
    fn new(status: StatusCode, code: i32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), data: None }
    }

    /// The body is not JSON.
    pub(super) fn parse(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32700, message)
    }

    /// The body is JSON, but no message.
    pub(super) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32600, message)
    }

    /// The message lacks what every message of its era has.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32602, message)
    }

    /// The message is well-formed, but asks for something that is not there.
    pub(super) fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(StatusCode::OK, -32602, message)
    }

    /// There is no such method in a legacy revision.
    pub(super) fn no_method(method: &str) -> Self {
        let method: String = method.chars().take(80).collect();
        Self::new(StatusCode::OK, -32601, format!("Method not found: {method}"))
    }

    /// There is no such method in a modern revision.
    pub(super) fn no_modern_method(method: &str) -> Self {
        let error = Self { status: StatusCode::NOT_FOUND, ..Self::no_method(method) };
        if method != "initialize" {
            return error;
        }
        // A client of the other era learns what it could have said.
        let message = format!("{}; supported protocol versions: {}", error.message, SUPPORTED.join(", "));
        Self { message, ..error }
    }

    /// The headers say something else than the body.
    pub(super) fn header_mismatch(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -32020, format!("Header mismatch: {}", message.into()))
    }

    /// The revision is not spoken here.
    pub(super) fn unsupported_version(requested: &str) -> Self {
        let requested: String = requested.chars().take(40).collect();
        let error = Self::new(StatusCode::BAD_REQUEST, -32022, "Unsupported protocol version");
        Self { data: Some(json!({ "supported": SUPPORTED, "requested": requested })), ..error }
    }

    pub(super) fn body(&self, id: Option<&RawValue>) -> String {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(data) = &self.data {
            error["data"] = data.clone();
        }
        match id {
            Some(id) => format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"error\":{error}}}", id.get()),
            None => format!("{{\"jsonrpc\":\"2.0\",\"error\":{error}}}"),
        }
    }

    pub(super) fn into_response(self, id: Option<&RawValue>) -> HttpResponse {
        HttpResponse::build(self.status).content_type("application/json").body(self.body(id))
    }
}
