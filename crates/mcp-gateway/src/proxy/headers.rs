//! Which headers pass, and which are ours to set.

use actix_web::{HttpMessage as _, HttpRequest, http::header::HeaderMap as ActixHeaders};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use web::RequestId;

use crate::routes::Route;

/// Headers of one connection (RFC 9110 §7.6.1), and those that a connection's framing replaces.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers of a request that stay here: credentials for the gateway, and what the gateway says itself.
const KEPT_HERE: [&str; 7] =
    ["authorization", "cookie", "forwarded", "host", "traceparent", "tracestate", "via"];

/// The same for whole families.
const KEPT_FAMILIES: [&str; 4] = ["mcp-", "stoa-", "x-forwarded-", "x-real-"];

/// Headers of an answer that stay here: one origin serves the APIs of all tenants, so none may speak for it.
const NOT_RETURNED: [&str; 6] = [
    "alt-svc",
    "clear-site-data",
    "public-key-pins",
    "service-worker-allowed",
    "set-cookie",
    "strict-transport-security",
];

/// The headers that the backend gets.
pub(super) fn forwarded(request: &HttpRequest, route: &Route) -> HeaderMap {
    let named = named_by_connection(request.headers());
    let mut headers = HeaderMap::with_capacity(request.headers().len() + 6);
    for (name, value) in request.headers() {
        let name = name.as_str();
        let kept = HOP_BY_HOP.contains(&name)
            || KEPT_HERE.contains(&name)
            || KEPT_FAMILIES.iter().any(|family| name.starts_with(family))
            || named.iter().any(|other| other == name);
        if kept {
            continue;
        }
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        {
            headers.append(name, value);
        }
    }
    let info = request.connection_info();
    let id = request.extensions().get::<RequestId>().map(|id| id.as_str().to_owned());
    let said = [
        ("x-forwarded-for", request.peer_addr().map(|peer| peer.ip().to_string())),
        (
            "x-forwarded-host",
            request.headers().get("host").and_then(|host| host.to_str().ok()).map(str::to_owned),
        ),
        ("x-forwarded-proto", Some(if request.app_config().secure() { "https" } else { "http" }.to_owned())),
        ("x-forwarded-prefix", Some(format!("/apis/{}/{}", route.tenant, route.api))),
        ("x-request-id", id),
    ];
    drop(info);
    for (name, value) in said {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

/// Whether a header of the backend's answer goes to the caller; `named` are those that its `Connection` names.
pub(super) fn is_returned(name: &str, named: &[String]) -> bool {
    !HOP_BY_HOP.contains(&name)
        && !NOT_RETURNED.contains(&name)
        && !name.starts_with("stoa-")
        && !named.iter().any(|other| other == name)
}

/// The names in a list of connection options.
pub(super) fn options(value: &str) -> impl Iterator<Item = String> {
    value.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty())
}

fn named_by_connection(headers: &ActixHeaders) -> Vec<String> {
    let values = headers.get_all("connection").filter_map(|value| value.to_str().ok());
    values.flat_map(options).collect()
}
