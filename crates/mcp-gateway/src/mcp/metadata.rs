//! How clients learn where to sign in: protected-resource metadata (RFC 9728), and challenges that point there.

use ::web::{AuthError, Kind, Problem, challenge};
use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, HOST, HeaderValue, WWW_AUTHENTICATE},
    web::{self, Data, ServiceConfig},
};
use serde_json::json;

use super::ENDPOINT;
use crate::gateway::Gateway;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// How long a client waits when the issuer is away.
const RETRY_AFTER: u32 = 5;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.route(WELL_KNOWN, web::get().to(metadata));
    config.route(&format!("{WELL_KNOWN}{ENDPOINT}"), web::get().to(metadata));
}

async fn metadata(request: HttpRequest, gateway: Data<Gateway>) -> HttpResponse {
    let mut body = json!({
        "resource": format!("{}{ENDPOINT}", base(&request, &gateway)),
        "authorization_servers": [gateway.identity().issuer],
        "bearer_methods_supported": ["header"],
        "resource_name": "STOA",
    });
    if !gateway.mcp().scopes.is_empty() {
        body["scopes_supported"] = json!(gateway.mcp().scopes);
    }
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        // It says nothing that is not public, and pages need it to sign in.
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .json(body)
}

/// 401 with the way to a token; 503 if tokens can't be checked at present.
pub(super) fn unauthorized(request: &HttpRequest, gateway: &Gateway, error: &AuthError) -> HttpResponse {
    if matches!(error, AuthError::Unavailable) {
        return Problem::new(Kind::Unavailable, error.to_string()).retry_after(RETRY_AFTER).error_response();
    }
    let mut value = format!("{}, {}", challenge(error), pointer(request, gateway));
    if !gateway.mcp().scopes.is_empty() {
        value = format!("{value}, scope=\"{}\"", gateway.mcp().scopes.join(" "));
    }
    challenged(Problem::new(Kind::Unauthenticated, error.to_string()), &value)
}

/// 403 with all scopes that the call needs.
pub(super) fn insufficient(request: &HttpRequest, gateway: &Gateway, scopes: &[String]) -> HttpResponse {
    let scopes = scopes.join(" ");
    let pointer = pointer(request, gateway);
    let value = format!("Bearer realm=\"stoa\", error=\"insufficient_scope\", scope=\"{scopes}\", {pointer}");
    let detail = format!("the call needs a token with the scopes `{scopes}`");
    challenged(Problem::new(Kind::Forbidden, detail), &value)
}

fn challenged(problem: Problem, challenge: &str) -> HttpResponse {
    match HeaderValue::from_str(challenge) {
        Ok(value) => problem.header(WWW_AUTHENTICATE, value).error_response(),
        Err(_) => problem.error_response(),
    }
}

fn pointer(request: &HttpRequest, gateway: &Gateway) -> String {
    format!("resource_metadata=\"{}{WELL_KNOWN}{ENDPOINT}\"", base(request, gateway))
}

/// The public address without a slash at the end. Without a setting the service is on loopback, where the name in the
/// request is one of ours.
fn base(request: &HttpRequest, gateway: &Gateway) -> String {
    if let Some(url) = &gateway.mcp().url {
        return url.as_str().trim_end_matches('/').to_owned();
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let legal =
        |host: &&str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    format!("http://{}", host.filter(legal).unwrap_or("localhost"))
}
