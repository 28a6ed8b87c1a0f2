//! `DELETE /v1/environments/{environment}/gateways/{gateway}`.

use actix_web::{
    HttpResponse, delete as http_delete,
    http::StatusCode,
    web::{Data, Path},
};
use web::{Authorized, Problem, etag::IfMatch, permission::TenantsUpdate};

use super::names;
use crate::routes::{State, committed::committed, condition::precondition, once::origin, snapshot::Wait};

#[http_delete("/environments/{environment}/gateways/{gateway}")]
pub(super) async fn delete(
    caller: Authorized<TenantsUpdate>,
    path: Path<(String, String)>,
    condition: IfMatch,
    wait: Wait,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let (environment, gateway) = names(path.into_inner())?;
    let origin = origin(&state, caller.principal());
    let done = state.commands.remove_gateway(&origin, environment, gateway, precondition(condition)).await?;
    Ok(committed(&state, &done, wait, StatusCode::NO_CONTENT, None, None::<&()>).await)
}
