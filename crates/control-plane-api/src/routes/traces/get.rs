//! `GET /v1/traces/{trace}`.

use actix_web::{
    get as http_get,
    web::{Data, Json, Path},
};
use web::{AuthorizedAnywhere, Problem, permission::ApisRead};

use super::{view::TraceView, visible};
use crate::routes::{State, snapshot::Snapshot};

#[http_get("/traces/{trace}")]
pub(super) async fn get(
    caller: AuthorizedAnywhere<ApisRead>,
    trace: Path<String>,
    _at: Snapshot,
    state: Data<State>,
) -> Result<Json<TraceView>, Problem> {
    visible(&state, caller.principal(), &trace).await.map(|row| Json(row.into()))
}
