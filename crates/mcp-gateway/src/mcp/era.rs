//! Which revision a request follows, and whether its headers agree with its body.

use std::borrow::Cow;

use actix_web::HttpRequest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{error::RpcError, message::Params};
use crate::routes::Era;

/// The revision without a handshake.
pub(super) const MODERN: &str = "2026-07-28";

/// The revisions with one, the newest first.
pub(super) const LEGACY: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// All revisions that are spoken here.
pub(super) const SUPPORTED: [&str; 5] = [MODERN, LEGACY[0], LEGACY[1], LEGACY[2], LEGACY[3]];

const VERSION_HEADER: &str = "mcp-protocol-version";

/// The era of a request; in the modern one, only if everything that it must say is there and agrees.
pub(super) fn of(request: &HttpRequest, method: &str, params: &Params) -> Result<Era, RpcError> {
    let header = header(request, VERSION_HEADER)?;
    let declared = match &params.meta.version {
        None => None,
        Some(Value::String(version)) => Some(version.as_str()),
        Some(_) => return Err(RpcError::malformed("Invalid params: the protocol version must be a text")),
    };
    match (header.as_deref(), declared) {
        (None, None) => return Ok(Era::Legacy),
        // The handshake belongs to the legacy era, whatever a client announces in front of it.
        (Some(_), None) if method == "initialize" => return Ok(Era::Legacy),
        (Some(header), None) if LEGACY.contains(&header) => return Ok(Era::Legacy),
        (Some(MODERN), None) => {
            let key = "io.modelcontextprotocol/protocolVersion";
            return Err(RpcError::malformed(format!("Invalid params: `_meta` lacks `{key}`")));
        }
        (Some(header), None) => return Err(RpcError::unsupported_version(header)),
        (Some(header), Some(declared)) if header != declared => {
            let message =
                format!("MCP-Protocol-Version is `{}`, the body says `{}`", short(header), short(declared));
            return Err(RpcError::header_mismatch(message));
        }
        (_, Some(declared)) if LEGACY.contains(&declared) => return Ok(Era::Legacy),
        (None, Some(_)) => return Err(RpcError::header_mismatch("MCP-Protocol-Version is missing")),
        (Some(_), Some(MODERN)) => {}
        (Some(_), Some(declared)) => return Err(RpcError::unsupported_version(declared)),
    }
    check_meta(params)?;
    check_headers(request, method, params)?;
    Ok(Era::Modern)
}

/// Whether a GET may open a stream: in revisions that have it, which an absent header stands for too.
pub(super) fn may_open_stream(request: &HttpRequest) -> bool {
    match request.headers().get(VERSION_HEADER) {
        None => true,
        Some(version) => version.to_str().is_ok_and(|version| LEGACY.contains(&version)),
    }
}

fn check_meta(params: &Params) -> Result<(), RpcError> {
    match &params.meta.capabilities {
        Some(Value::Object(_)) => {}
        Some(_) => {
            return Err(RpcError::malformed("Invalid params: the client's capabilities must be an object"));
        }
        None => {
            let key = "io.modelcontextprotocol/clientCapabilities";
            return Err(RpcError::malformed(format!("Invalid params: `_meta` lacks `{key}`")));
        }
    }
    match &params.meta.client {
        None | Some(Value::Object(_)) => Ok(()),
        Some(_) => Err(RpcError::malformed("Invalid params: the client's name must be an object")),
    }
}

fn check_headers(request: &HttpRequest, method: &str, params: &Params) -> Result<(), RpcError> {
    agrees(request, "Mcp-Method", Some(method))?;
    let named = match method {
        "tools/call" | "prompts/get" => &params.name,
        "resources/read" => &params.uri,
        _ => return Ok(()),
    };
    agrees(request, "Mcp-Name", named.as_ref().and_then(Value::as_str))
}

fn agrees(request: &HttpRequest, name: &str, body: Option<&str>) -> Result<(), RpcError> {
    let Some(header) = header(request, name)? else {
        return Err(RpcError::header_mismatch(format!("{name} is missing")));
    };
    // A method is plain; a name may come encoded.
    let value = if name == "Mcp-Name" { decoded(&header) } else { Some(Cow::Borrowed(header.as_ref())) };
    let Some(value) = value else {
        return Err(RpcError::header_mismatch(format!("{name} is not encoded as it should be")));
    };
    match body {
        Some(body) if value == body => Ok(()),
        Some(body) => {
            let message = format!("{name} is `{}`, the body says `{}`", short(&value), short(body));
            Err(RpcError::header_mismatch(message))
        }
        None => Err(RpcError::malformed("Invalid params: the name is missing")),
    }
}

/// The value of a header that may stand once.
fn header<'r>(request: &'r HttpRequest, name: &str) -> Result<Option<Cow<'r, str>>, RpcError> {
    let mut values = request.headers().get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    let text =
        value.to_str().map_err(|_| RpcError::header_mismatch(format!("{name} has illegal characters")))?;
    if values.any(|other| other != value) {
        return Err(RpcError::header_mismatch(format!("{name} stands there twice")));
    }
    Ok(Some(Cow::Borrowed(text.trim())))
}

/// A value that may come as `=?base64?…?=`.
fn decoded(value: &str) -> Option<Cow<'_, str>> {
    let Some(encoded) = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) else {
        return Some(Cow::Borrowed(value));
    };
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok().map(Cow::Owned)
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}
