//! `DELETE /v1/tenants/{tenant}/apis/{api}`: with its deployments.

use actix_web::{
    HttpResponse, delete as http_delete,
    http::StatusCode,
    web::{Data, Path},
};
use domain::name::TenantName;
use web::{Authorized, Problem, etag::IfMatch, permission::ApisDelete};

use crate::routes::{
    State,
    committed::committed,
    condition::precondition,
    name,
    once::origin,
    snapshot::{Snapshot, Wait},
};

#[http_delete("/{api}")]
pub(super) async fn delete(
    caller: Authorized<ApisDelete>,
    path: Path<(TenantName, String)>,
    condition: IfMatch,
    snapshot: Snapshot,
    wait: Wait,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let (tenant, segment) = path.into_inner();
    let api = name::api(&snapshot, &tenant, &segment)?;
    let origin = origin(&state, caller.principal());
    let done = state.commands.remove_api(&origin, tenant, api, precondition(condition)).await?;
    Ok(committed(&state, &done, wait, StatusCode::NO_CONTENT, None, None::<&()>).await)
}
