//! Records that follow from what people and producers ask, as opposed to what follows from a commit.

use std::fmt::Debug;

use event_bus::Bus;
use events::{AuditRecord, Envelope, Event, GitopsNudge, RequestOutcome};
use futures_util::future::BoxFuture;
use uuid::Uuid;

/// Writes records; each returns once the broker has it.
pub(crate) trait Announce: Debug + Send + Sync + 'static {
    /// "Look at Git."
    fn nudge(&self, id: Uuid, nudge: GitopsNudge) -> BoxFuture<'_, Result<(), event_bus::Error>>;

    /// Who did, or tried, what.
    fn audit(&self, id: Uuid, record: AuditRecord) -> BoxFuture<'_, Result<(), event_bus::Error>>;

    /// What became of a request.
    fn outcome(&self, id: Uuid, outcome: RequestOutcome) -> BoxFuture<'_, Result<(), event_bus::Error>>;
}

/// Announces on the topics.
pub(crate) struct OnTopics(pub(crate) Bus);

impl Debug for OnTopics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnTopics")
    }
}

impl OnTopics {
    async fn publish<E: Event>(&self, id: Uuid, event: E) -> Result<(), event_bus::Error> {
        let envelope: Envelope<E> = self.0.envelope(id, event);
        self.0.producer().publish(&envelope).await.map(|_| ())
    }
}

impl Announce for OnTopics {
    fn nudge(&self, id: Uuid, nudge: GitopsNudge) -> BoxFuture<'_, Result<(), event_bus::Error>> {
        Box::pin(self.publish(id, nudge))
    }

    fn audit(&self, id: Uuid, record: AuditRecord) -> BoxFuture<'_, Result<(), event_bus::Error>> {
        Box::pin(self.publish(id, record))
    }

    fn outcome(&self, id: Uuid, outcome: RequestOutcome) -> BoxFuture<'_, Result<(), event_bus::Error>> {
        Box::pin(self.publish(id, outcome))
    }
}
