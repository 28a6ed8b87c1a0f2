//! What the catalogue topics really hold, as this replica reads them back.
//!
//! A former relay that stalled and woke up may have written old state after us. So what was read back is compared
//! with what is in effect, and what differs is written again.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{Failure, id::Digest};
use event_bus::{Bus, Delivery, From as Begin, Handle};
use events::{
    CatalogApi, CatalogApplication, CatalogEnvironment, CatalogGateway, CatalogPlan, CatalogTenant,
    CatalogUsers, Envelope, Event,
};
use runtime::{Spawner, Stopping};
use tokio::{sync::watch, time::timeout};

use super::catalog::CatalogRecord;

/// How long to wait for records of ours to be read back.
const PATIENCE: Duration = Duration::from_secs(10);

/// A partition of a catalogue topic.
pub(crate) type Part = (String, i32);

/// What a catalogue topic holds by key; no digest where a record stands that cannot be read.
type Held = HashMap<(&'static str, String), Option<Digest>>;

/// What each catalogue topic holds. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mirror {
    held: Arc<Mutex<Held>>,
    next: watch::Sender<BTreeMap<Part, i64>>,
}

impl Mirror {
    /// Reads every catalogue topic from now on, in a task of its own.
    pub(crate) fn start(&self, bus: &Bus, spawner: &Spawner, stopping: &Stopping) {
        let reading = bus
            .followers(Begin::Beginning)
            .with::<CatalogEnvironment, _>(self.clone())
            .with::<CatalogGateway, _>(self.clone())
            .with::<CatalogPlan, _>(self.clone())
            .with::<CatalogTenant, _>(self.clone())
            .with::<CatalogUsers, _>(self.clone())
            .with::<CatalogApi, _>(self.clone())
            .with::<CatalogApplication, _>(self.clone());
        spawner.spawn("control-plane-api: read the catalogue back", reading.run(stopping.clone()));
    }

    /// The digest of what a topic holds under a key, if that can be read.
    pub(crate) fn digest(&self, topic: &'static str, key: &str) -> Option<Digest> {
        self.lock().get(&(topic, key.to_owned())).cloned().flatten()
    }

    /// The keys that a topic holds.
    pub(crate) fn keys(&self, topic: &'static str) -> Vec<String> {
        self.lock().keys().filter(|(of, _)| *of == topic).map(|(_, key)| key.clone()).collect()
    }

    /// Waits until everything before these offsets was read back; false when that takes too long.
    ///
    /// It can: compaction may have taken the last record before an offset, a tombstone, away.
    pub(crate) async fn passed(&self, offsets: &BTreeMap<Part, i64>) -> bool {
        let mut next = self.next.subscribe();
        let reached = next.wait_for(|next| {
            offsets
                .iter()
                .all(|(part, wanted)| *wanted == 0 || next.get(part).is_some_and(|next| next >= wanted))
        });
        matches!(timeout(PATIENCE, reached).await, Ok(Ok(_)))
    }

    fn advance(&self, delivery: &Delivery) {
        let part = (delivery.topic().to_owned(), delivery.partition());
        self.next.send_modify(|next| {
            next.insert(part, delivery.offset() + 1);
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: Event + Into<CatalogRecord>> Handle<E> for Mirror {
    async fn handle(&self, envelope: &Envelope<E>, delivery: &Delivery) -> Result<(), Failure> {
        let record: CatalogRecord = envelope.event.clone().into();
        self.lock().insert((E::TOPIC.name, record.key()), Some(record.content()));
        self.advance(delivery);
        Ok(())
    }

    async fn removed(&self, key: &str, delivery: &Delivery) -> Result<(), Failure> {
        self.lock().remove(&(E::TOPIC.name, key.to_owned()));
        self.advance(delivery);
        Ok(())
    }
    /// Who starts to read now has nothing under this key, so it counts as different from whatever is in effect.
    async fn unreadable(&self, key: &str, delivery: &Delivery) {
        self.lock().insert((E::TOPIC.name, key.to_owned()), None);
        self.advance(delivery);
    }
}

#[cfg(test)]
mod tests {
    use devstack::Backbone;
    use domain::id::Revision;
    use events::Policies;
    use runtime::{Lifecycle, Outcome, SystemClock};
    use uuid::Uuid;

    use super::*;

    fn plan(name: &str) -> CatalogPlan {
        CatalogPlan {
            plan: name.parse().unwrap(),
            display_name: String::new(),
            description: String::new(),
            policies: Policies { requests_per_minute: None, burst: None },
            requires_approval: false,
            revision: Revision(1),
            commit: "a".repeat(40).parse().unwrap(),
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_back_is_a_dead_letter_once_and_differs_from_whatever_is_in_effect() {
        let dir = tempfile::tempdir().unwrap();
        let Some(backbone) = Backbone::for_test("mirror", dir.path()).await else { return };
        let metrics = runtime::Metrics::new("test");
        let bus = Bus::connect(backbone.settings(), "test", Arc::new(SystemClock), &metrics).await.unwrap();
        bus.topics().apply(events::topics::ALL).await.unwrap();
        bus.registry().restore().await.unwrap();
        let prepare = async |name| {
            let envelope = bus.envelope(Uuid::nil(), plan(name));
            bus.prepare(&envelope).await.unwrap().to_partition(0)
        };
        let garbage = async || prepare("gold").await.with_value(b"no record".to_vec());
        let stray = garbage().await.under_key("stray");
        for record in [prepare("gold").await, garbage().await, stray, prepare("bronze").await] {
            bus.producer().send(&record).await.unwrap();
        }

        let topic = CatalogPlan::TOPIC.name;
        let written = [((topic.to_owned(), 0), 4)].into();
        let lifecycle = Lifecycle::manual();
        // Two replicas read back at once.
        let mirrors = [Mirror::default(), Mirror::default()];
        for mirror in &mirrors {
            mirror.start(&bus, &lifecycle.spawner(), &lifecycle.stopping());
        }
        for mirror in &mirrors {
            assert!(mirror.passed(&written).await);
            let bronze = CatalogRecord::from(plan("bronze")).content();
            assert_eq!((mirror.digest(topic, "bronze"), mirror.digest(topic, "gold")), (Some(bronze), None));
            let mut keys = mirror.keys(topic);
            keys.sort();
            assert_eq!(keys, ["bronze", "gold", "stray"]);
        }
        lifecycle.stopper().stop();
        assert_eq!(lifecycle.outcome().await, Outcome::Clean);
        let letters = bus.dead_letters(topic, "test").list().await.unwrap();
        let letters: Vec<_> =
            letters.iter().map(|it| (it.source_offset, it.reason.as_str(), &*it.value)).collect();
        let garbage = |offset| (offset, "undecodable", &b"no record"[..]);
        assert_eq!(letters, [garbage(1), garbage(2)]);
        backbone.stop().await;
    }
}
