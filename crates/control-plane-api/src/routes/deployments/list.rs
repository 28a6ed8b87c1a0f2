//! `GET /v1/tenants/{tenant}/deployments`: newest first.

use actix_web::{
    get,
    web::{Data, Json, Path},
};
use domain::name::TenantName;
use serde::Deserialize;
use web::{Authorized, Problem, Query, permission::ApisRead};

use super::view::DeploymentView;
use crate::{
    routes::{
        State, name,
        page::{Page, Paging},
        snapshot::Snapshot,
    },
    store::DeploymentFilter,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    #[serde(alias = "api_id")]
    api: Option<String>,
    environment: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[get("/tenants/{tenant}/deployments")]
pub(super) async fn list(
    _: Authorized<ApisRead>,
    tenant: Path<TenantName>,
    snapshot: Snapshot,
    Query(params): Query<Params>,
    state: Data<State>,
) -> Result<Json<Page<DeploymentView>>, Problem> {
    let api = match &params.api {
        Some(api) => Some(name::api(&snapshot, &tenant, api)?.to_string()),
        None => None,
    };
    let filter = DeploymentFilter { api: api.as_deref(), environment: params.environment.as_deref() };
    let list = format!("deployments/{tenant}/{:?}/{:?}", filter.api, filter.environment);
    let paging = Paging::of(&state, list, params.limit, params.cursor)?;
    let before: Option<(i64, String)> = paging.after()?;
    let before = before.as_ref().map(|(revision, group)| (*revision, group.as_str()));
    let found = state.store.deployment_groups(&tenant, &filter, before, paging.one_more()).await?;
    let position = |orders: &Vec<crate::store::DeploymentRow>| {
        let newest = orders.iter().map(|order| order.revision).max().unwrap_or_default();
        (newest, orders.first().map(|order| order.group.clone()).unwrap_or_default())
    };
    let Json(page) = paging.page(found, position, |orders| DeploymentView::of(&orders));
    let items = page.items.into_iter().flatten().collect();
    Ok(Json(Page { items, next_cursor: page.next_cursor }))
}
