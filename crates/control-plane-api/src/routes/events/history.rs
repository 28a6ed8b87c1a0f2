//! `GET /v1/events/history/{tenant}`: what happened, newest first.

use actix_web::{
    get,
    web::{Data, Json, Path},
};
use domain::name::TenantName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use web::{Authorized, Problem, Query, permission::ApisRead};

use super::Kinds;
use crate::routes::{
    State, name,
    page::{self, Page},
    snapshot::Snapshot,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    #[serde(alias = "event_type")]
    event_types: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct EventView {
    id: i64,
    event: String,
    at: Timestamp,
    data: Box<RawValue>,
}

#[get("/events/history/{tenant}")]
pub(super) async fn history(
    _: Authorized<ApisRead>,
    tenant: Path<TenantName>,
    snapshot: Snapshot,
    Query(params): Query<Params>,
    state: Data<State>,
) -> Result<Json<Page<EventView>>, Problem> {
    name::tenant(&snapshot, &tenant)?;
    let size = i64::try_from(page::size(params.limit)?).unwrap_or(i64::MAX);
    let kinds = Kinds::of(params.event_types.as_deref());
    let list = format!("history/{tenant}/{kinds:?}");
    // Numbers have no gaps, so a page is a range of them; a filter leaves out some of the range.
    let end: i64 = match params.cursor {
        Some(cursor) => state.cursors.open(&list, &cursor)?,
        None => state.store.stream_head(tenant.as_str()).await?,
    };
    let before = (end - size).max(0);
    let mut events = state.store.stream_after(tenant.as_str(), before, end - before).await?;
    events.reverse();
    let wanted = events.into_iter().filter(|event| kinds.contain(&event.kind));
    let items = wanted.map(|event| EventView {
        id: event.sequence,
        event: event.kind,
        at: event.at,
        data: RawValue::from_string(event.data).unwrap_or_else(|_| RawValue::NULL.to_owned()),
    });
    let next_cursor = (before > 0).then(|| state.cursors.seal(&list, &before));
    Ok(Json(Page { items: items.collect(), next_cursor }))
}
