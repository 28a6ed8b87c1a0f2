//! `GET /v1/tenants/{tenant}/apis`.

use actix_web::{
    get,
    web::{Data, Json, Path},
};
use domain::{
    entity::Entity,
    name::{ApiName, TenantName},
};
use web::{Authorized, Problem, Query, permission::ApisRead};

use super::view::ApiView;
use crate::routes::{
    State, name,
    page::{Page, Paging, Params},
    snapshot::Snapshot,
};

#[get("")]
pub(super) async fn list(
    _: Authorized<ApisRead>,
    tenant: Path<TenantName>,
    snapshot: Snapshot,
    Query(params): Query<Params>,
    state: Data<State>,
) -> Result<Json<Page<ApiView>>, Problem> {
    let paging = Paging::of(&state, format!("apis/{tenant}"), params.limit, params.cursor)?;
    name::tenant(&snapshot, &tenant)?;
    let after: Option<ApiName> = paging.after()?;
    let apis = snapshot.apis(&tenant, after.as_ref()).filter_map(|(_, it)| match &*it.entity {
        Entity::Api(api) => Some(api),
        _ => None,
    });
    Ok(paging.page(apis, |last| last.name.clone(), |api| ApiView::of(&snapshot, api)))
}
