//! `POST /v1/tenants/{tenant}/apis`.

use std::collections::BTreeSet;

use actix_web::{
    HttpResponse,
    http::StatusCode,
    post,
    web::{Data, Path},
};
use domain::{
    entity::{Authentication, Entity, GatewayOptions, Policies},
    name::TenantName,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::{Authorized, Json, Problem, permission::ApisCreate};

use super::{
    body::{AuthenticationBody, RateLimitBody, document},
    view::ApiView,
};
use crate::{
    commands::{NewApi, OpenApiText},
    routes::{
        State,
        committed::committed,
        name,
        once::{Key, once},
        snapshot::Wait,
    },
};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    name: String,
    display_name: Option<String>,
    #[serde(default = "first_version")]
    version: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    tags: BTreeSet<String>,
    backend_url: String,
    authentication: Option<AuthenticationBody>,
    rate_limit: Option<RateLimitBody>,
    tools: Option<bool>,
    #[serde(alias = "openapi_spec")]
    openapi: Value,
}

fn first_version() -> String {
    "1.0.0".to_owned()
}

#[post("")]
pub(super) async fn create(
    caller: Authorized<ApisCreate>,
    tenant: Path<TenantName>,
    Json(body): Json<Body>,
    key: Key,
    wait: Wait,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let tenant = tenant.into_inner();
    once(&state, caller.principal(), key, &body, async |origin| {
        let api = new_api(tenant.clone(), body.clone()).await?;
        let location = format!("/v1/tenants/{tenant}/apis/{}", api.name);
        let done = state.commands.declare_api(&origin, api).await?;
        let view = match done.entity() {
            Some(Entity::Api(api)) => Some(ApiView::of(&done.state, api)),
            _ => None,
        };
        Ok(committed(&state, &done, wait, StatusCode::CREATED, Some(&location), view.as_ref()).await)
    })
    .await
}

async fn new_api(tenant: TenantName, body: Body) -> Result<NewApi, Problem> {
    let name = name::given("name", &body.name)?;
    let openapi = OpenApiText::check(document(body.openapi)?).await?;
    Ok(NewApi {
        tenant,
        name,
        display_name: body.display_name.unwrap_or(body.name),
        version: body.version,
        description: body.description,
        category: body.category,
        tags: body.tags,
        backend_url: body.backend_url,
        authentication: body.authentication.map_or_else(Authentication::default, Into::into),
        policies: Policies { rate_limit: body.rate_limit.map(Into::into), ..Policies::default() },
        gateway: GatewayOptions { tools: body.tools.unwrap_or(true), ..GatewayOptions::default() },
        openapi,
    })
}
