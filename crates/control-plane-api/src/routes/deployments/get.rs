//! `GET /v1/tenants/{tenant}/deployments/{deployment}`.

use actix_web::{
    get as http_get,
    web::{Data, Json, Path},
};
use domain::name::TenantName;
use web::{Authorized, Problem, permission::ApisRead};

use super::{group, view::DeploymentView};
use crate::routes::{State, snapshot::Snapshot};

#[http_get("/tenants/{tenant}/deployments/{deployment}")]
pub(super) async fn get(
    _: Authorized<ApisRead>,
    path: Path<(TenantName, String)>,
    _at: Snapshot,
    state: Data<State>,
) -> Result<Json<Option<DeploymentView>>, Problem> {
    let (tenant, deployment) = path.into_inner();
    let orders = group(&state, &tenant, &deployment).await?;
    Ok(Json(DeploymentView::of(&orders)))
}
