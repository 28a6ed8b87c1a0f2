//! Tokens, by each of the grants.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL},
    },
    web::{Data, Form},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::json;

use super::{fail, refusal_of_client, refuse};
use crate::issuer::{
    DEVELOPMENT_GRANT, DEVICE_GRANT, TOKEN_LIFETIME,
    claims::{Claims, Issue},
    device::Poll,
    service::Addressed,
    sessions,
};

#[derive(Debug, Deserialize)]
pub(super) struct Request {
    grant_type: String,
    username: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    device_code: Option<String>,
    refresh_token: Option<String>,
}

pub(super) async fn give(state: Data<Addressed>, http: HttpRequest, request: Form<Request>) -> HttpResponse {
    match request.grant_type.as_str() {
        DEVELOPMENT_GRANT => {
            let username = request.username.as_deref().unwrap_or_default();
            to_user(&state, username, None).await
        }
        "client_credentials" => {
            let (id, secret) = credentials(&http, &request).unwrap_or_default();
            match state.issuer.people().await.client(&id, &secret) {
                Some(client) => grant(&state, &issue(&state).to_client(client), None),
                None => refuse(StatusCode::UNAUTHORIZED, "invalid_client", "unknown client or wrong secret"),
            }
        }
        DEVICE_GRANT => confirmed(&state, &request).await,
        "refresh_token" => renewed(&state, &request).await,
        other => {
            let known = ["client_credentials", DEVICE_GRANT, "refresh_token", DEVELOPMENT_GRANT].join(", ");
            let description = format!("`{other}` is none of {known}");
            refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type", &description)
        }
    }
}

/// The token of a sign-in that a person confirmed (RFC 8628, 3.5).
async fn confirmed(state: &Addressed, request: &Request) -> HttpResponse {
    if let Some(refusal) = refusal_of_client(request.client_id.as_deref()) {
        return refusal;
    }
    let issuer = &state.issuer;
    let code = request.device_code.as_deref().unwrap_or_default();
    let outcome = issuer.devices().poll(code, issuer.now());
    let (error, description) = match outcome {
        Poll::Allowed { username } => {
            let begun = issuer.sessions().begin(&username, issuer.now(), &*issuer.entropy);
            return match begun {
                Ok(refresh_token) => to_user(state, &username, Some(refresh_token)).await,
                Err(error) => fail(&error),
            };
        }
        Poll::Pending => ("authorization_pending", "nobody decided yet"),
        Poll::TooSoon => ("slow_down", "wait five seconds longer between two questions"),
        Poll::Denied => ("access_denied", "the sign-in was refused"),
        Poll::Expired => ("expired_token", "nobody decided in time"),
        Poll::Unknown => ("invalid_grant", "the device code is not known, or not any more"),
    };
    refuse(StatusCode::BAD_REQUEST, error, description)
}

/// A new token, and a new refresh token, for one that was given before.
async fn renewed(state: &Addressed, request: &Request) -> HttpResponse {
    if let Some(refusal) = refusal_of_client(request.client_id.as_deref()) {
        return refusal;
    }
    let issuer = &state.issuer;
    let token = request.refresh_token.as_deref().unwrap_or_default();
    let renewed = issuer.sessions().renew(token, issuer.now(), &*issuer.entropy);
    match renewed {
        Ok(Some(renewed)) => to_user(state, &renewed.username, Some(renewed.refresh_token)).await,
        Ok(None) => refuse(
            StatusCode::BAD_REQUEST,
            "invalid_grant",
            "the refresh token is not known, or not any more: sign in again",
        ),
        Err(error) => fail(&error),
    }
}

/// A token for a person, who may be gone since the session began.
async fn to_user(state: &Addressed, username: &str, refresh_token: Option<String>) -> HttpResponse {
    if let Some(user) = state.issuer.people().await.user(username) {
        return grant(state, &issue(state).to_user(user), refresh_token.as_deref());
    }
    if let Some(token) = refresh_token
        && let Err(error) = state.issuer.sessions().end(&token)
    {
        return fail(&error);
    }
    refuse(StatusCode::BAD_REQUEST, "invalid_grant", &format!("there is no user `{username}`"))
}

fn issue(state: &Addressed) -> Issue<'_> {
    let now = state.issuer.now();
    Issue { issuer: &state.base, now, id: state.issuer.random.id(now) }
}

fn grant(state: &Addressed, claims: &Claims, refresh_token: Option<&str>) -> HttpResponse {
    let token = match state.issuer.key.sign(claims) {
        Ok(token) => token,
        Err(error) => return fail(&error),
    };
    let mut answer = json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFETIME.as_secs(),
        "scope": claims.scope,
    });
    if let Some(refresh_token) = refresh_token {
        answer["refresh_token"] = json!(refresh_token);
        // Keycloak's name.
        answer["refresh_expires_in"] = json!(sessions::LIFETIME.as_secs());
    }
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(answer)
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
