//! `GET /v1/tenants/{tenant}/requests/{request}`: what became of a request that came by topic.

use actix_web::{
    get as http_get,
    web::{Data, Json, Path},
};
use domain::name::TenantName;
use jiff::Timestamp;
use serde::Serialize;
use web::{Authorized, Kind, Problem, permission::ApisRead};

use crate::routes::{State, snapshot::Snapshot};

#[derive(Debug, Serialize)]
struct RequestView {
    id: String,
    tenant_id: String,
    topic: String,
    /// `accepted` or `refused`.
    outcome: String,
    reason: Option<String>,
    message: Option<String>,
    commit: Option<String>,
    /// The deployment that follows from it.
    deployment_id: Option<String>,
    at: Timestamp,
}

#[http_get("/tenants/{tenant}/requests/{request}")]
pub(super) async fn get(
    _: Authorized<ApisRead>,
    path: Path<(TenantName, String)>,
    _at: Snapshot,
    state: Data<State>,
) -> Result<Json<RequestView>, Problem> {
    let (tenant, request) = path.into_inner();
    let missing = || Problem::new(Kind::NotFound, format!("tenant `{tenant}` sent no such request"));
    let row = state.store.request(tenant.as_str(), &request).await?.ok_or_else(missing)?;
    Ok(Json(RequestView {
        id: row.request_id,
        tenant_id: row.tenant,
        topic: row.topic,
        outcome: row.outcome,
        reason: row.reason,
        message: row.message,
        commit: row.commit,
        deployment_id: row.group,
        at: row.at,
    }))
}
