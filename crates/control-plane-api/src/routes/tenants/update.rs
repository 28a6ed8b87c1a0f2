//! `PUT /v1/tenants/{tenant}`: what the body leaves out stays as it is.

use std::collections::BTreeSet;

use actix_web::{
    HttpResponse,
    http::StatusCode,
    put,
    web::{Data, Path},
};
use domain::{
    entity::Entity,
    name::{EnvironmentName, TenantName},
};
use serde::Deserialize;
use web::{Authorized, Json, Problem, etag::IfMatch, permission::TenantsUpdate};

use super::view::TenantView;
use crate::{
    commands::TenantChange,
    routes::{
        State,
        committed::committed,
        condition::{needed, precondition},
        once::origin,
        snapshot::Wait,
    },
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    display_name: Option<String>,
    description: Option<String>,
    owner_email: Option<String>,
    environments: Option<BTreeSet<EnvironmentName>>,
    tags: Option<BTreeSet<String>>,
}

#[put("/tenants/{tenant}")]
pub(super) async fn update(
    caller: Authorized<TenantsUpdate>,
    tenant: Path<TenantName>,
    condition: IfMatch,
    Json(body): Json<Body>,
    wait: Wait,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    needed(&condition)?;
    let change = TenantChange {
        display_name: body.display_name,
        description: body.description,
        owner_email: body.owner_email,
        environments: body.environments,
        tags: body.tags,
    };
    let origin = origin(&state, caller.principal());
    let tenant = tenant.into_inner();
    let done = state.commands.change_tenant(&origin, tenant, change, precondition(condition)).await?;
    let view = match done.entity() {
        Some(Entity::Tenant(tenant)) => Some(TenantView::of(&done.state, tenant)),
        _ => None,
    };
    Ok(committed(&state, &done, wait, StatusCode::OK, None, view.as_ref()).await)
}
