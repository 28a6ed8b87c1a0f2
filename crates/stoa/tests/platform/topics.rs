//! What stands in the topics, for readers that see committed records only.

use std::{collections::BTreeMap, sync::Arc};

use event_bus::{Bus, Update};
use events::{Envelope, Event};

/// Every record of a topic, by partition and offset, removals aside.
pub(crate) async fn records<E: Event>(bus: &Bus) -> Vec<Arc<Envelope<E>>> {
    let mut records = Vec::new();
    for partition in 0..E::TOPIC.partitions {
        let each = |update, _| {
            if let Update::Put(envelope) = update {
                records.push(envelope);
            }
        };
        bus.read_partition::<E>(partition, None, each).await.unwrap();
    }
    records
}

/// The records that `wanted` accepts.
pub(crate) async fn those<E: Event>(bus: &Bus, wanted: impl Fn(&E) -> bool) -> Vec<Arc<Envelope<E>>> {
    let mut records = records::<E>(bus).await;
    records.retain(|envelope| wanted(&envelope.event));
    records
}

/// The newest record of every key of a compacted topic.
pub(crate) async fn newest<E: Event>(bus: &Bus) -> BTreeMap<String, E> {
    let mut newest = BTreeMap::new();
    for partition in 0..E::TOPIC.partitions {
        let each = |update, _| match update {
            Update::Put(envelope) => {
                let envelope: Arc<Envelope<E>> = envelope;
                newest.insert(envelope.event.key(), envelope.event.clone());
            }
            Update::Removed(key) => {
                newest.remove(&key);
            }
        };
        bus.read_partition::<E>(partition, None, each).await.unwrap();
    }
    newest
}
