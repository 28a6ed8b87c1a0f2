//! `DELETE /v1/tenants/{tenant}`.

use actix_web::{
    HttpResponse, delete as http_delete,
    http::StatusCode,
    web::{Data, Path},
};
use domain::name::TenantName;
use web::{Authorized, Problem, etag::IfMatch, permission::TenantsDelete};

use crate::routes::{State, committed::committed, condition::precondition, once::origin, snapshot::Wait};

#[http_delete("/tenants/{tenant}")]
pub(super) async fn delete(
    caller: Authorized<TenantsDelete>,
    tenant: Path<TenantName>,
    condition: IfMatch,
    wait: Wait,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let origin = origin(&state, caller.principal());
    let done = state.commands.remove_tenant(&origin, tenant.into_inner(), precondition(condition)).await?;
    Ok(committed(&state, &done, wait, StatusCode::NO_CONTENT, None, None::<&()>).await)
}
