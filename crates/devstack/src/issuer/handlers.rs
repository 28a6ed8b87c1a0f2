//! Discovery, keys and tokens over HTTP.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE},
    },
    web::{self, Data, Form, FormConfig, ServiceConfig},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::json;

use super::{
    DEVELOPMENT_GRANT, TOKEN_LIFETIME,
    claims::{Claims, Issue},
    service::Addressed,
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .app_data(FormConfig::default().error_handler(|error, _| {
            let answer = refuse(StatusCode::BAD_REQUEST, "invalid_request", &error.to_string());
            actix_web::error::InternalError::from_response(error, answer).into()
        }))
        .route("/.well-known/openid-configuration", web::get().to(discovery))
        .route("/.well-known/oauth-authorization-server", web::get().to(discovery))
        .route("/keys", web::get().to(keys))
        .route("/authorize", web::get().to(authorize))
        .route("/token", web::post().to(token));
}

async fn discovery(state: Data<Addressed>) -> HttpResponse {
    let base = &state.base;
    HttpResponse::Ok().json(json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/keys"),
        "grant_types_supported": ["client_credentials", DEVELOPMENT_GRANT],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": ["openid", "profile", "email"],
    }))
}

async fn keys(state: Data<Addressed>) -> HttpResponse {
    HttpResponse::Ok().json(state.issuer.key.set())
}

/// Discovery has to name this endpoint; there is no sign-in page behind it.
async fn authorize() -> HttpResponse {
    refuse(
        StatusCode::BAD_REQUEST,
        "unsupported_response_type",
        "this issuer has no sign-in page: use `stoa login`, or the token endpoint",
    )
}

#[derive(Debug, Deserialize)]
struct Request {
    grant_type: String,
    username: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

async fn token(state: Data<Addressed>, http: HttpRequest, request: Form<Request>) -> HttpResponse {
    let issuer = &state.issuer;
    let now = issuer.clock.now();
    let issue = Issue { issuer: &state.base, now, id: issuer.random.id(now) };
    match request.grant_type.as_str() {
        DEVELOPMENT_GRANT => {
            let username = request.username.as_deref().unwrap_or_default();
            match issuer.people.user(username) {
                Some(user) => grant(&state, &issue.to_user(user)),
                None => refuse(
                    StatusCode::BAD_REQUEST,
                    "invalid_grant",
                    &format!("there is no user `{username}`"),
                ),
            }
        }
        "client_credentials" => {
            let (id, secret) = credentials(&http, &request).unwrap_or_default();
            match issuer.people.client(&id, &secret) {
                Some(client) => grant(&state, &issue.to_client(client)),
                None => refuse(StatusCode::UNAUTHORIZED, "invalid_client", "unknown client or wrong secret"),
            }
        }
        other => refuse(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            &format!("`{other}` is neither client_credentials nor {DEVELOPMENT_GRANT}"),
        ),
    }
}

/// The client's id and secret, from the header or the form.
fn credentials(http: &HttpRequest, request: &Request) -> Option<(String, String)> {
    if let Some(header) = http.headers().get(AUTHORIZATION) {
        let encoded = header.to_str().ok()?.strip_prefix("Basic ")?;
        let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (id, secret) = text.split_once(':')?;
        return Some((form_decoded(id), form_decoded(secret)));
    }
    Some((request.client_id.clone()?, request.client_secret.clone()?))
}

/// Both halves of the header are form-encoded first (RFC 6749, 2.3.1).
fn form_decoded(text: &str) -> String {
    url::form_urlencoded::parse(format!("value={text}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn grant(state: &Addressed, claims: &Claims) -> HttpResponse {
    match state.issuer.key.sign(claims) {
        Ok(token) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFETIME.as_secs(),
            "scope": claims.scope,
        })),
        Err(error) => {
            tracing::error!(error = runtime::chain(&error), "A token could not be signed");
            refuse(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the token could not be signed")
        }
    }
}

fn refuse(status: StatusCode, error: &str, description: &str) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    if status == StatusCode::UNAUTHORIZED {
        answer.insert_header((WWW_AUTHENTICATE, r#"Basic realm="stoa""#));
    }
    answer
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(json!({ "error": error, "error_description": description }))
}

#[cfg(test)]
mod tests;
