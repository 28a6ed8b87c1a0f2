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

/// What each catalogue topic holds: a digest per key. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mirror {
    held: Arc<Mutex<HashMap<(&'static str, String), Digest>>>,
    next: watch::Sender<BTreeMap<Part, i64>>,
}

impl Mirror {
    /// Reads every catalogue topic from now on, in tasks of their own.
    pub(crate) fn start(&self, bus: &Bus, spawner: &Spawner, stopping: &Stopping) {
        self.read::<CatalogEnvironment>(bus, spawner, stopping);
        self.read::<CatalogGateway>(bus, spawner, stopping);
        self.read::<CatalogPlan>(bus, spawner, stopping);
        self.read::<CatalogTenant>(bus, spawner, stopping);
        self.read::<CatalogUsers>(bus, spawner, stopping);
        self.read::<CatalogApi>(bus, spawner, stopping);
        self.read::<CatalogApplication>(bus, spawner, stopping);
    }

    fn read<E: Event + Into<CatalogRecord>>(&self, bus: &Bus, spawner: &Spawner, stopping: &Stopping) {
        let name = format!("control-plane-api: read back {}", E::TOPIC.name);
        spawner.spawn(name, bus.follow::<E, _>(Begin::Beginning, self.clone(), stopping.clone()));
    }

    /// The digest of what a topic holds under a key.
    pub(crate) fn digest(&self, topic: &'static str, key: &str) -> Option<Digest> {
        self.lock().get(&(topic, key.to_owned())).cloned()
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

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(&'static str, String), Digest>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: Event + Into<CatalogRecord>> Handle<E> for Mirror {
    async fn handle(&self, envelope: &Envelope<E>, delivery: &Delivery) -> Result<(), Failure> {
        let record: CatalogRecord = envelope.event.clone().into();
        self.lock().insert((E::TOPIC.name, record.key()), record.content());
        self.advance(delivery);
        Ok(())
    }

    async fn removed(&self, key: &str, delivery: &Delivery) -> Result<(), Failure> {
        self.lock().remove(&(E::TOPIC.name, key.to_owned()));
        self.advance(delivery);
        Ok(())
    }
}
