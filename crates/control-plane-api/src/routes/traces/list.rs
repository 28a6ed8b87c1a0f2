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
    page::{Page, Paging},
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
    let tenant = tenant(caller.principal(), params.tenant.as_deref())?;
    let status = params.status.as_deref();
    let list = format!("traces/{tenant:?}/{status:?}");
    let paging = Paging::of(&state, list, params.limit, params.cursor)?;
    let before: Option<(i64, String)> = paging.after()?;
    let before = before.as_ref().map(|(revision, id)| (*revision, id.as_str()));
    let found = state.store.traces(tenant.as_ref(), status, before, paging.one_more()).await?;
    Ok(paging.page(found, |last| (last.revision, last.id.clone()), TraceView::from))
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
