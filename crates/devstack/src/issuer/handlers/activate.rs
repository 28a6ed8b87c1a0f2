//! The page where a person says who signs in.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    web::{Data, Form, Query},
};
use serde::Deserialize;

use crate::issuer::{device::Decision, page, service::Addressed};

const NOT_KNOWN: &str = "This code is not known, or not any more.";

#[derive(Debug, Deserialize)]
pub(super) struct Shown {
    user_code: Option<String>,
}

pub(super) async fn show(state: Data<Addressed>, shown: Query<Shown>) -> HttpResponse {
    let issuer = &state.issuer;
    let Some(typed) = shown.user_code.as_deref().filter(|code| !code.is_empty()) else {
        return html(StatusCode::OK, page::ask(""));
    };
    let known = issuer.devices().page_of(typed, issuer.now());
    match known {
        Some((user_code, key)) => {
            html(StatusCode::OK, page::choose(&user_code, &key, issuer.people().await.users()))
        }
        None => html(StatusCode::NOT_FOUND, page::ask(NOT_KNOWN)),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Chosen {
    user_code: String,
    form_key: String,
    username: String,
    decision: String,
}

pub(super) async fn decide(state: Data<Addressed>, chosen: Form<Chosen>) -> HttpResponse {
    let issuer = &state.issuer;
    let Chosen { user_code, form_key, username, decision } = chosen.into_inner();
    let (decision, text) = match decision.as_str() {
        "allow" if issuer.people().await.user(&username).is_some() => {
            let text = format!("You are signed in as {username}. This page may be closed.");
            (Decision::Allowed { username }, text)
        }
        "allow" => {
            let text = format!("There is no user {username}.");
            return html(StatusCode::BAD_REQUEST, page::say(&text));
        }
        _ => (Decision::Denied, "The sign-in was refused. This page may be closed.".to_owned()),
    };
    let taken = issuer.devices().decide(&user_code, &form_key, decision, issuer.now());
    if taken {
        html(StatusCode::OK, page::say(&text))
    } else {
        html(StatusCode::FORBIDDEN, page::ask(NOT_KNOWN))
    }
}

fn html(status: StatusCode, body: String) -> HttpResponse {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header((X_FRAME_OPTIONS, "DENY"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // With `no-referrer` browsers would send the form with the origin `null`, as pages of others do.
        .insert_header((REFERRER_POLICY, "same-origin"))
        .body(body)
}
