//! `GET /v1/traces/{trace}/timeline`: with what happened, in order.

use actix_web::{
    get,
    web::{Data, Json, Path},
};
use serde::Serialize;
use web::{AuthorizedAnywhere, Problem, permission::ApisRead};

use super::{
    view::{EntryView, TraceView},
    visible,
};
use crate::routes::{State, snapshot::Snapshot};

#[derive(Debug, Serialize)]
struct Timeline {
    #[serde(flatten)]
    trace: TraceView,
    timeline: Vec<EntryView>,
}

#[get("/traces/{trace}/timeline")]
pub(super) async fn timeline(
    caller: AuthorizedAnywhere<ApisRead>,
    trace: Path<String>,
    _at: Snapshot,
    state: Data<State>,
) -> Result<Json<Timeline>, Problem> {
    let row = visible(&state, caller.principal(), &trace).await?;
    let entries = state.store.trace_entries(&row.id).await?;
    let timeline = entries.into_iter().map(EntryView::from).collect();
    Ok(Json(Timeline { trace: row.into(), timeline }))
}
