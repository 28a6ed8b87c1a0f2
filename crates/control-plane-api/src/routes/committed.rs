//! The answer to a write.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{ETAG, HeaderName, LOCATION},
    },
};
use serde::Serialize;
use web::etag;

use super::{State, around::COMMIT, snapshot::Wait};
use crate::commands::Done;

/// Whether the write made a commit.
pub(super) const CHANGED: HeaderName = HeaderName::from_static("stoa-changed");

/// Says that a preference was honoured (RFC 7240).
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// The answer to a write that is done: its commit, the new version of what it was about, and `body`.
///
/// A caller who prefers to wait gets the answer when the relay has reached the commit. If that takes longer, the
/// answer comes all the same, without `Preference-Applied`: the write is done.
pub(super) async fn committed(
    state: &State,
    done: &Done,
    wait: Wait,
    status: StatusCode,
    location: Option<&str>,
    body: Option<&(impl Serialize + Sync)>,
) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    response.insert_header((COMMIT, done.commit.as_str()));
    response.insert_header((CHANGED, if done.changed { "true" } else { "false" }));
    if let Some(tag) = done.etag() {
        response.insert_header((ETAG, etag::of(&tag)));
    }
    if let Some(location) = location {
        response.insert_header((LOCATION, location));
    }
    if let Wait(Some(within)) = wait
        && state.desired.wait_for(&done.commit, within).await.is_ok()
    {
        response.insert_header((APPLIED, "wait"));
    }
    match body {
        Some(body) => response.json(body),
        None => response.finish(),
    }
}
