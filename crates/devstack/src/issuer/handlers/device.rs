//! Where a program begins a sign-in that a person confirms.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::CACHE_CONTROL},
    web::{Data, Form},
};
use serde::Deserialize;
use serde_json::json;

use super::{fail, refusal_of_client, refuse};
use crate::issuer::{
    device::{BeginError, INTERVAL, LIFETIME},
    service::Addressed,
};

#[derive(Debug, Deserialize)]
pub(super) struct Request {
    client_id: Option<String>,
}

pub(super) async fn begin(state: Data<Addressed>, request: Form<Request>) -> HttpResponse {
    if let Some(refusal) = refusal_of_client(request.client_id.as_deref()) {
        return refusal;
    }
    let issuer = &state.issuer;
    let begun = issuer.devices().begin(issuer.now(), &*issuer.entropy);
    match begun {
        Ok(begun) => {
            let page = format!("{}/activate", state.base);
            HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(json!({
                "device_code": begun.device_code,
                "user_code": begun.user_code,
                "verification_uri": page,
                "verification_uri_complete": format!("{page}?user_code={}", begun.user_code),
                "expires_in": LIFETIME.as_secs(),
                "interval": INTERVAL.as_secs(),
            }))
        }
        Err(error @ BeginError::Full) => {
            refuse(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", &error.to_string())
        }
        Err(error) => fail(&error),
    }
}
