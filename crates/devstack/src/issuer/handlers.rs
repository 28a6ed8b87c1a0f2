//! Discovery, keys, tokens and the sign-in page over HTTP.

mod activate;
mod device;
mod token;

use std::net::TcpListener;

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, WWW_AUTHENTICATE},
    },
    web::{self, Data, FormConfig, ServiceConfig},
};
use serde_json::json;

use super::{DEVELOPMENT_GRANT, DEVICE_GRANT, Issuer, PEOPLES_CLIENT, service::Addressed};
use crate::local::{self, Local};

impl Issuer {
    /// Serves discovery, keys, tokens and the sign-in page on `listener`, which must be bound to loopback.
    pub fn serve(self, listener: TcpListener) -> Result<Local, local::Error> {
        let base = listener.local_addr().map(|address| format!("http://{address}")).unwrap_or_default();
        let addressed = Data::new(Addressed { issuer: self, base });
        Local::bind("token issuer", listener, move |config| {
            routes(config.app_data(addressed.clone()));
        })
    }
}

fn routes(config: &mut ServiceConfig) {
    config
        .app_data(FormConfig::default().error_handler(|error, _| {
            let answer = refuse(StatusCode::BAD_REQUEST, "invalid_request", &error.to_string());
            actix_web::error::InternalError::from_response(error, answer).into()
        }))
        .route("/.well-known/openid-configuration", web::get().to(discovery))
        .route("/.well-known/oauth-authorization-server", web::get().to(discovery))
        .route("/keys", web::get().to(keys))
        .route("/authorize", web::get().to(authorize))
        .route("/device", web::post().to(device::begin))
        .route("/activate", web::get().to(activate::show))
        .route("/activate", web::post().to(activate::decide))
        .route("/token", web::post().to(token::give));
}

async fn discovery(state: Data<Addressed>) -> HttpResponse {
    let base = &state.base;
    HttpResponse::Ok().json(json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "device_authorization_endpoint": format!("{base}/device"),
        "jwks_uri": format!("{base}/keys"),
        "grant_types_supported": ["client_credentials", DEVICE_GRANT, "refresh_token", DEVELOPMENT_GRANT],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "scopes_supported": ["openid", "profile", "email"],
    }))
}

async fn keys(state: Data<Addressed>) -> HttpResponse {
    HttpResponse::Ok().json(state.issuer.key.set())
}

/// Discovery has to name this endpoint; people sign in by device code instead.
async fn authorize() -> HttpResponse {
    refuse(
        StatusCode::BAD_REQUEST,
        "unsupported_response_type",
        "this issuer signs people in by device code only: use `stoa login`",
    )
}

/// The refusal of every client but that of people.
fn refusal_of_client(id: Option<&str>) -> Option<HttpResponse> {
    let description = format!("people sign in with the client `{PEOPLES_CLIENT}`");
    (id != Some(PEOPLES_CLIENT)).then(|| refuse(StatusCode::UNAUTHORIZED, "invalid_client", &description))
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

/// Something that is this machine's fault.
fn fail(error: &(dyn std::error::Error + 'static)) -> HttpResponse {
    tracing::error!(error = runtime::chain(error), "The token issuer cannot answer");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the issuer's log says why")
}

#[cfg(test)]
mod device_tests;
#[cfg(test)]
mod tests;
