//! `GET /v1/me`: who the caller is, and what he may do.

use std::collections::BTreeSet;

use actix_web::{
    get,
    web::{Json, ServiceConfig},
};
use domain::rbac::{Permission, Principal};
use serde::Serialize;
use web::Authenticated;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(me);
}

#[derive(Debug, Serialize)]
struct Me {
    subject: String,
    username: String,
    email: Option<String>,
    tenant_id: Option<String>,
    platform_admin: bool,
    roles: Vec<&'static str>,
    permissions: Vec<&'static str>,
    scopes: BTreeSet<String>,
}

#[get("/me")]
async fn me(caller: Authenticated) -> Json<Me> {
    let principal: &Principal = caller.principal();
    let granted: BTreeSet<Permission> = principal
        .roles
        .iter()
        .flat_map(|role| role.permissions())
        .filter(|it| principal.holds(*it))
        .collect();
    Json(Me {
        subject: principal.subject.clone(),
        username: principal.username.clone(),
        email: principal.email.clone(),
        tenant_id: principal.tenant.as_ref().map(ToString::to_string),
        platform_admin: principal.administers_platform(),
        roles: principal.roles.iter().map(|role| role.as_str()).collect(),
        permissions: granted.into_iter().map(Permission::as_str).collect(),
        scopes: principal.scopes.clone(),
    })
}
