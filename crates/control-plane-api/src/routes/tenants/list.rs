//! `GET /v1/tenants`: all for administrators of the platform, the own one for everybody else.

use actix_web::{
    get,
    web::{Data, Json},
};
use domain::name::TenantName;
use web::{AuthorizedAnywhere, Problem, Query, permission::TenantsRead};

use super::view::TenantView;
use crate::routes::{
    State,
    page::{Page, Paging, Params},
    snapshot::Snapshot,
};

#[get("/tenants")]
pub(super) async fn list(
    caller: AuthorizedAnywhere<TenantsRead>,
    snapshot: Snapshot,
    Query(params): Query<Params>,
    state: Data<State>,
) -> Result<Json<Page<TenantView>>, Problem> {
    let principal = caller.principal();
    let list = format!("tenants/{}", principal.subject);
    let paging = Paging::of(&state, list, params.limit, params.cursor)?;
    let after: Option<TenantName> = paging.after()?;
    let visible =
        |name: &TenantName| principal.administers_platform() || principal.tenant.as_ref() == Some(name);
    let tenants = snapshot.tenants(after.as_ref()).filter(|tenant| visible(&tenant.name));
    Ok(paging.page(tenants, |last| last.name.clone(), |tenant| TenantView::of(&snapshot, tenant)))
}
