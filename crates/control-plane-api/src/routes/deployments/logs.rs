//! `GET /v1/tenants/{tenant}/deployments/{deployment}/logs`.

use actix_web::{
    get,
    web::{Data, Json, Path},
};
use domain::name::TenantName;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;
use web::{Authorized, Kind, Problem, permission::ApisRead};

use super::group;
use crate::routes::{State, snapshot::Snapshot};

/// Lines of a log at most.
const LINES: i64 = 5000;

#[derive(Debug, Serialize)]
struct Log {
    deployment_id: Uuid,
    logs: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    order_id: String,
    sequence: i64,
    step: String,
    phase: String,
    attempt: i64,
    message: Option<String>,
    at: Timestamp,
}

#[get("/tenants/{tenant}/deployments/{deployment}/logs")]
pub(super) async fn logs(
    _: Authorized<ApisRead>,
    path: Path<(TenantName, String)>,
    _at: Snapshot,
    state: Data<State>,
) -> Result<Json<Log>, Problem> {
    let (tenant, deployment) = path.into_inner();
    group(&state, &tenant, &deployment).await?;
    let missing = |_| Problem::new(Kind::DeploymentNotFound, "there is no such deployment");
    let deployment_id = Uuid::try_parse(&deployment).map_err(missing)?;
    let steps = state.store.deployment_log(&tenant, deployment_id, LINES).await?;
    let logs = steps.into_iter().map(|step| Line {
        order_id: step.order_id,
        sequence: step.sequence,
        step: step.step,
        phase: step.phase,
        attempt: step.attempt,
        message: step.message,
        at: step.at,
    });
    Ok(Json(Log { deployment_id, logs: logs.collect() }))
}
