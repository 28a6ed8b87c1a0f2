//! Who may speak to the endpoint at all: no page of another site, and no name that was bent to this machine.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HOST, HeaderValue, ORIGIN, VARY,
        },
        uri::Authority,
    },
};
use url::{Host, Url};
use web::{Kind, Problem};

use crate::gateway::Gateway;

/// Headers that a page may send.
const SENT: &str = "authorization, content-type, accept, mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, \
                    last-event-id, traceparent, x-request-id";

/// Refuses requests of foreign pages, and on loopback requests for foreign names.
pub(super) fn check(request: &HttpRequest, gateway: &Gateway) -> Result<(), Problem> {
    let settings = gateway.mcp();
    let on_loopback = gateway.identity().on_loopback;
    let refused = |detail: &str| Err(Problem::new(Kind::Forbidden, detail));
    if on_loopback {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| request.uri().authority().map(Authority::as_str));
        let name = host.and_then(|host| Url::parse(&format!("http://{host}/")).ok());
        let known = name.as_ref().is_some_and(|name| {
            let text = name.host_str().unwrap_or_default();
            let own = settings.url.as_ref().and_then(Url::host_str) == Some(text);
            own || is_local(name)
                || settings.allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(text))
        });
        if !known {
            return refused("this name is not served here");
        }
    }
    let Some(origin) = request.headers().get(ORIGIN) else { return Ok(()) };
    let text = origin.to_str().unwrap_or_default();
    let parsed = Url::parse(text).ok();
    let own = settings.url.as_ref().is_some_and(|url| url.origin().ascii_serialization() == text);
    let listed = settings.allowed_origins.iter().any(|allowed| allowed == text);
    let local = on_loopback && parsed.as_ref().is_some_and(is_local);
    if own || listed || local { Ok(()) } else { refused("pages of this origin may not call") }
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// The answer to a browser's question; the origin was checked.
pub(super) fn preflight(request: &HttpRequest) -> HttpResponse {
    let mut answer = HttpResponse::NoContent();
    answer.insert_header((ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"));
    answer.insert_header((ACCESS_CONTROL_ALLOW_HEADERS, SENT));
    answer.insert_header((ACCESS_CONTROL_MAX_AGE, "600"));
    expose(request, answer.finish())
}

/// Lets a page of the origin, which was checked, read the answer.
pub(super) fn expose(request: &HttpRequest, mut answer: HttpResponse) -> HttpResponse {
    if let Some(origin) = request.headers().get(ORIGIN) {
        let headers = answer.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("www-authenticate, x-request-id"),
        );
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
    answer
}
