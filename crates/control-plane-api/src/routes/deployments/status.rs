//! `GET /v1/tenants/{tenant}/deployments/environments/{environment}/status`: what should run there, and whether
//! it does.

use actix_web::{
    get,
    web::{Data, Json, Path},
};
use domain::{
    entity::{Deployment, DeploymentState},
    name::{EnvironmentName, TenantName},
};
use serde::Serialize;
use web::{Authorized, Kind, Problem, permission::ApisRead};

use super::view::DeploymentView;
use crate::{
    deployments,
    routes::{State, name, snapshot::Snapshot},
    store::DeploymentFilter,
};

#[derive(Debug, Serialize)]
struct Status {
    environment: EnvironmentName,
    /// Whether the newest deployment of everything succeeded.
    healthy: bool,
    apis: Vec<ApiStatus>,
}

#[derive(Debug, Serialize)]
struct ApiStatus {
    api_id: String,
    state: DeploymentState,
    healthy: bool,
    latest: Option<DeploymentView>,
}

#[get("/tenants/{tenant}/deployments/environments/{environment}/status")]
pub(super) async fn status(
    _: Authorized<ApisRead>,
    path: Path<(TenantName, String)>,
    snapshot: Snapshot,
    state: Data<State>,
) -> Result<Json<Status>, Problem> {
    let (tenant, environment) = path.into_inner();
    let environment: EnvironmentName = name::in_path(Kind::EnvironmentNotFound, &environment)?;
    name::tenant(&snapshot, &tenant)?;
    name::environment(&snapshot, &environment)?;
    let mut apis = Vec::new();
    for deployment in snapshot.deployments(&tenant).filter(|it| it.environment == environment) {
        apis.push(of_api(&state, &tenant, deployment).await?);
    }
    let healthy = apis.iter().all(|api| api.healthy);
    Ok(Json(Status { environment, healthy, apis }))
}

async fn of_api(state: &State, tenant: &TenantName, wanted: &Deployment) -> Result<ApiStatus, Problem> {
    let filter =
        DeploymentFilter { api: Some(wanted.api.as_str()), environment: Some(wanted.environment.as_str()) };
    let newest = state.store.deployment_groups(tenant, &filter, None, 1).await?;
    let latest = newest.first().map(Vec::as_slice).unwrap_or_default();
    Ok(ApiStatus {
        api_id: wanted.api.to_string(),
        state: wanted.state,
        healthy: !latest.is_empty() && deployments::status(latest) == "succeeded",
        latest: DeploymentView::of(latest),
    })
}
