//! `POST /v1/tenants`.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, http::StatusCode, post, web::Data};
use domain::{
    entity::{Contact, Entity},
    name::EnvironmentName,
};
use serde::{Deserialize, Serialize};
use web::{Authorized, Json, Problem, permission::TenantsCreate};

use super::view::TenantView;
use crate::{
    commands::NewTenant,
    routes::{
        State,
        committed::committed,
        name,
        once::{Key, once},
        snapshot::Wait,
    },
};

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    name: String,
    display_name: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    owner_email: String,
    environments: Option<BTreeSet<EnvironmentName>>,
    #[serde(default)]
    tags: BTreeSet<String>,
}

#[post("/tenants")]
pub(super) async fn create(
    caller: Authorized<TenantsCreate>,
    Json(body): Json<Body>,
    key: Key,
    wait: Wait,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    once(&state, caller.principal(), key, &body, async |origin| {
        let tenant = new_tenant(&body)?;
        let location = format!("/v1/tenants/{}", tenant.name);
        let done = state.commands.declare_tenant(&origin, tenant).await?;
        let view = match done.entity() {
            Some(Entity::Tenant(tenant)) => Some(TenantView::of(&done.state, tenant)),
            _ => None,
        };
        Ok(committed(&state, &done, wait, StatusCode::CREATED, Some(&location), view.as_ref()).await)
    })
    .await
}

fn new_tenant(body: &Body) -> Result<NewTenant, Problem> {
    Ok(NewTenant {
        name: name::given("name", &body.name)?,
        display_name: body.display_name.clone().unwrap_or_else(|| body.name.clone()),
        description: body.description.clone(),
        contact: Contact { email: body.owner_email.clone(), ..Contact::default() },
        environments: body.environments.clone(),
        tags: body.tags.clone(),
    })
}
