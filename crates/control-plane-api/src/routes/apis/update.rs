//! `PUT /v1/tenants/{tenant}/apis/{api}`: what the body leaves out stays as it is.

use std::collections::BTreeSet;

use actix_web::{
    HttpResponse,
    http::StatusCode,
    put,
    web::{Data, Path},
};
use domain::{entity::Entity, name::TenantName};
use serde::Deserialize;
use serde_json::Value;
use web::{Authorized, Json, Problem, etag::IfMatch, permission::ApisUpdate};

use super::{
    body::{AuthenticationBody, RateLimitBody, document},
    view::ApiView,
};
use crate::{
    commands::{ApiChange, OpenApiText},
    routes::{
        State,
        committed::committed,
        condition::{needed, precondition},
        name,
        once::origin,
        snapshot::{Snapshot, Wait},
    },
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    display_name: Option<String>,
    version: Option<String>,
    description: Option<String>,
    category: Option<String>,
    tags: Option<BTreeSet<String>>,
    backend_url: Option<String>,
    authentication: Option<AuthenticationBody>,
    rate_limit: Option<RateLimitBody>,
    tools: Option<bool>,
    #[serde(alias = "openapi_spec")]
    openapi: Option<Value>,
}

#[put("/{api}")]
pub(super) async fn update(
    caller: Authorized<ApisUpdate>,
    path: Path<(TenantName, String)>,
    condition: IfMatch,
    snapshot: Snapshot,
    Json(body): Json<Body>,
    wait: Wait,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    needed(&condition)?;
    let (tenant, segment) = path.into_inner();
    let api = name::api(&snapshot, &tenant, &segment)?;
    let openapi = match body.openapi {
        Some(value) => Some(OpenApiText::check(document(value)?).await?),
        None => None,
    };
    let change = ApiChange {
        display_name: body.display_name,
        version: body.version,
        description: body.description,
        category: body.category,
        tags: body.tags,
        backend_url: body.backend_url,
        authentication: body.authentication.map(Into::into),
        rate_limit: body.rate_limit.map(Into::into),
        tools: body.tools,
        openapi,
    };
    let origin = origin(&state, caller.principal());
    let done = state.commands.change_api(&origin, tenant, api, change, precondition(condition)).await?;
    let view = match done.entity() {
        Some(Entity::Api(api)) => Some(ApiView::of(&done.state, api)),
        _ => None,
    };
    Ok(committed(&state, &done, wait, StatusCode::OK, None, view.as_ref()).await)
}
