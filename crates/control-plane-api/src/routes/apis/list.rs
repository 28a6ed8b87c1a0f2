//! `GET /v1/tenants/{tenant}/apis`.

use actix_web::{
    get,
    web::{Data, Json, Path},
};
use domain::{
    entity::Entity,
    name::{ApiName, TenantName},
};
use serde::Deserialize;
use web::{Authorized, Problem, Query, permission::ApisRead};

use super::view::ApiView;
use crate::routes::{
    State, name,
    page::{self, Page},
    snapshot::Snapshot,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    limit: Option<u32>,
    cursor: Option<String>,
}

#[get("")]
pub(super) async fn list(
    _: Authorized<ApisRead>,
    tenant: Path<TenantName>,
    snapshot: Snapshot,
    Query(params): Query<Params>,
    state: Data<State>,
) -> Result<Json<Page<ApiView>>, Problem> {
    let size = page::size(params.limit)?;
    name::tenant(&snapshot, &tenant)?;
    let list = format!("apis/{tenant}");
    let after: Option<ApiName> =
        params.cursor.map(|cursor| state.cursors.open(&list, &cursor)).transpose()?;
    let apis = snapshot.apis(&tenant, after.as_ref()).filter_map(|(_, it)| match &*it.entity {
        Entity::Api(api) => Some(api),
        _ => None,
    });
    let found = apis.take(size + 1).collect();
    let page = Page::of(
        found,
        size,
        |last| state.cursors.seal(&list, &last.name),
        |api| ApiView::of(&snapshot, api),
    );
    Ok(Json(page))
}
