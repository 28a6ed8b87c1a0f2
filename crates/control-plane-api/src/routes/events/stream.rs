//! `GET /v1/events/stream/{tenant}`: server-sent events.
//!
//! The store numbers a tenant's events without gaps, and a stream reads them from there. It is woken by what this
//! replica writes, and looks by itself for what other replicas write. A client that comes back names the last
//! event it has seen and misses nothing.

use std::time::Duration;

use actix_web::{
    HttpResponse, get,
    web::{Data, Path},
};
use domain::name::TenantName;
use runtime::chain;
use serde::Deserialize;
use tokio::time::timeout;
use tracing::warn;
use web::{
    Authorized, Kind, Problem, Query,
    permission::ApisRead,
    sse::{self, LastEventId},
};

use super::Kinds;
use crate::{
    routes::{State, name, snapshot::Snapshot},
    store,
};

/// How often a stream looks although nobody woke it.
const LOOK: Duration = Duration::from_secs(1);

/// Events that a stream reads at a time, and that a slow client may leave unread.
const AT_A_TIME: i64 = 100;

/// A silent stream says so often that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A stream ends after this, so that its client comes back with a token that is still good.
const LONGEST: Duration = Duration::from_mins(15);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// For clients that cannot send the header.
    last_event_id: Option<String>,
    event_types: Option<String>,
}

#[get("/events/stream/{tenant}")]
pub(super) async fn stream(
    _: Authorized<ApisRead>,
    tenant: Path<TenantName>,
    snapshot: Snapshot,
    last_seen: LastEventId,
    Query(params): Query<Params>,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    name::tenant(&snapshot, &tenant)?;
    let full = |_| Problem::new(Kind::Unavailable, "too many streams are open").retry_after(5);
    let permit = state.streams.clone().try_acquire_owned().map_err(full)?;
    let seen = match last_seen.0.or(params.last_event_id) {
        Some(id) => {
            id.parse().map_err(|_| Problem::new(Kind::BadRequest, "`Last-Event-ID` is not a number"))?
        }
        None => state.store.stream_head(tenant.as_str()).await?,
    };
    let capacity = usize::try_from(AT_A_TIME).unwrap_or(1);
    let (sender, stream) = sse::channel(capacity, KEEP_ALIVE, state.stopping.clone());
    let feed = Feed {
        state: State::clone(&state),
        tenant: tenant.into_inner(),
        kinds: Kinds::of(params.event_types.as_deref()),
        sender,
    };
    let open = state.metrics.stream();
    state.spawner.job("stream", async move {
        let (_permit, _open) = (permit, open);
        let ended = feed.sender.clone();
        tokio::select! {
            () = ended.ended() => {}
            outcome = timeout(LONGEST, feed.run(seen)) => {
                if let Ok(Err(error)) = outcome {
                    warn!(error = chain(&error), "A stream ended because the store failed");
                }
            }
        }
        Ok::<(), store::Error>(())
    });
    Ok(stream.into_response())
}

struct Feed {
    state: State,
    tenant: TenantName,
    kinds: Kinds,
    sender: sse::Sender,
}

impl Feed {
    /// Sends what comes after `seen` until the client leaves.
    async fn run(&self, mut seen: i64) -> Result<(), store::Error> {
        let mut woken = self.state.wake.listen(self.tenant.as_str());
        loop {
            let events = self.state.store.stream_after(self.tenant.as_str(), seen, AT_A_TIME).await?;
            let more = i64::try_from(events.len()).unwrap_or(AT_A_TIME) == AT_A_TIME;
            for event in events {
                seen = event.sequence;
                if !self.kinds.contain(&event.kind) {
                    continue;
                }
                let event =
                    sse::Event { id: Some(seen.to_string()), name: Some(event.kind), data: event.data };
                if self.sender.send(&event).await.is_err() {
                    return Ok(());
                }
            }
            if !more {
                // Woken or not: both times it looks.
                let _ = timeout(LOOK, woken.changed()).await;
            }
        }
    }
}
