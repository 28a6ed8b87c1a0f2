//! The orders themselves, as many as fit; the others are read again.

use std::{collections::HashMap, sync::Arc};

use event_bus::{Bus, Error};
use events::{Envelope, Event};
use uuid::Uuid;

/// Orders of one partition.
pub(crate) struct Bodies<O> {
    bus: Bus,
    partition: i32,
    limit: usize,
    weight: usize,
    kept: HashMap<Uuid, (Arc<Envelope<O>>, usize)>,
}

impl<O: Event> Bodies<O> {
    pub(crate) fn new(bus: Bus, partition: i32, limit: usize) -> Self {
        Self { bus, partition, limit, weight: 0, kept: HashMap::new() }
    }

    /// Keeps an order of about `weight` bytes, if there is room.
    pub(crate) fn keep(&mut self, id: Uuid, body: Arc<Envelope<O>>, weight: usize) {
        if self.weight + weight <= self.limit && !self.kept.contains_key(&id) {
            self.weight += weight;
            self.kept.insert(id, (body, weight));
        }
    }

    pub(crate) fn drop(&mut self, id: Uuid) {
        if let Some((_, weight)) = self.kept.remove(&id) {
            self.weight -= weight;
        }
    }

    /// The order, which stands at `offset`.
    pub(crate) async fn get(&self, id: Uuid, offset: i64) -> Result<Arc<Envelope<O>>, Error> {
        match self.kept.get(&id) {
            Some((body, _)) => Ok(Arc::clone(body)),
            None => self.bus.read_at::<O>(self.partition, offset).await,
        }
    }
}
