//! `GET /v1/traces`: newest first; the own tenant's, or any for administrators of the platform.

use actix_web::{
    get,
    web::{Data, Json},
};
use domain::{
    name::TenantName,
    rbac::{Permission, Principal},
};
use serde::Deserialize;
use web::{AuthorizedAnywhere, Kind, Problem, Query, permission::ApisRead};

use super::view::TraceView;
use crate::routes::{
    State, name,
    page::{self, Page},
    snapshot::Snapshot,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    #[serde(alias = "tenant_id")]
    tenant: Option<String>,
    status: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[get("/traces")]
pub(super) async fn list(
    caller: AuthorizedAnywhere<ApisRead>,
    _at: Snapshot,
    Query(params): Query<Params>,
    state: Data<State>,
) -> Result<Json<Page<TraceView>>, Problem> {
    let size = page::size(params.limit)?;
    let tenant = tenant(caller.principal(), params.tenant.as_deref())?;
    let status = params.status.as_deref();
    let list = format!("traces/{tenant:?}/{status:?}");
    let before: Option<(i64, String)> =
        params.cursor.map(|cursor| state.cursors.open(&list, &cursor)).transpose()?;
    let before = before.as_ref().map(|(revision, id)| (*revision, id.as_str()));
    let found = state.store.traces(tenant.as_ref(), status, before, page::one_more(size)).await?;
    let page =
        Page::of(found, size, |last| state.cursors.seal(&list, &(last.revision, &last.id)), TraceView::from);
    Ok(Json(page))
}

/// Whose traces: the named tenant's, or all that the caller may see.
fn tenant(caller: &Principal, named: Option<&str>) -> Result<Option<TenantName>, Problem> {
    let tenant = match named {
        Some(named) => Some(name::in_path(Kind::TenantNotFound, named)?),
        None if caller.administers_platform() => None,
        None => caller.tenant.clone(),
    };
    let denied = |denied: domain::rbac::Denied| Problem::new(Kind::Forbidden, denied.to_string());
    caller.may(Permission::ApisRead, tenant.as_ref()).map_err(denied)?;
    Ok(tenant)
}
