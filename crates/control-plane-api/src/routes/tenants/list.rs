//! `GET /v1/tenants`: all for administrators of the platform, the own one for everybody else.

use actix_web::{
    get,
    web::{Data, Json},
};
use domain::name::TenantName;
use serde::Deserialize;
use web::{AuthorizedAnywhere, Problem, Query, permission::TenantsRead};

use super::view::TenantView;
use crate::routes::{
    State,
    page::{self, Page},
    snapshot::Snapshot,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    limit: Option<u32>,
    cursor: Option<String>,
}

#[get("/tenants")]
pub(super) async fn list(
    caller: AuthorizedAnywhere<TenantsRead>,
    snapshot: Snapshot,
    Query(params): Query<Params>,
    state: Data<State>,
) -> Result<Json<Page<TenantView>>, Problem> {
    let size = page::size(params.limit)?;
    let principal = caller.principal();
    let list = format!("tenants/{}", principal.subject);
    let after: Option<TenantName> =
        params.cursor.map(|cursor| state.cursors.open(&list, &cursor)).transpose()?;
    let visible =
        |name: &TenantName| principal.administers_platform() || principal.tenant.as_ref() == Some(name);
    let found =
        snapshot.tenants(after.as_ref()).filter(|tenant| visible(&tenant.name)).take(size + 1).collect();
    let page = Page::of(
        found,
        size,
        |last| state.cursors.seal(&list, &last.name),
        |tenant| TenantView::of(&snapshot, tenant),
    );
    Ok(Json(page))
}
