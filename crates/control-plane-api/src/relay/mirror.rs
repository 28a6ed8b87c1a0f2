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
