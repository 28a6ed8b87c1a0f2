//! Taking a partition up: fence the former holder, read what is written.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use event_bus::Update;
use events::Event as _;
use futures_util::stream::FuturesUnordered;
use tracing::{error, warn};

use super::Live;
use crate::{bodies::Bodies, holder::End, machine::Machine, saga::Parts, work::Work};

/// What an order that was read back is taken to weigh.
const RECALLED_WEIGHT: usize = 64 * 1024;

impl<W: Work> Live<W> {
    /// Fences the former holder and reads what is written.
    pub(in crate::holder) async fn recall(parts: Arc<Parts<W>>, partition: i32) -> Result<Self, End> {
        let bus = parts.bus.clone();
        let producer = bus.transactional::<W::Order>(&parts.name, partition).await?;
        let mut written = BTreeMap::new();
        bus.recall::<W::State>(partition, |update, _| {
            match update {
                Update::Put(envelope) => written.insert(envelope.event.key(), envelope.event.clone()),
                Update::Removed(key) => written.remove(&key),
            };
        })
        .await?;
        let mut live = Self {
            partition,
            producer,
            machine: Machine::default(),
            bodies: Bodies::new(bus, partition, parts.settings.bodies),
            states: HashMap::new(),
            steps: HashMap::new(),
            accepted_at: HashMap::new(),
            performing: FuturesUnordered::new(),
            cuts: HashMap::new(),
            parts,
        };
        live.remember(written.into_values()).await?;
        Ok(live)
    }

    async fn remember(&mut self, written: impl Iterator<Item = W::State>) -> Result<(), End> {
        let mut open = HashMap::new();
        for state in written {
            let Some(memory) = self.parts.work.memory(&state) else {
                warn!(key = state.key(), "A newer version wrote this state; leaving its order alone");
                continue;
            };
            self.states.insert(memory.id, state);
            if memory.is_decided() {
                self.machine.recall(memory, |_| true);
            } else {
                open.insert(memory.id, memory);
            }
        }
        let first = open.values().map(|memory| memory.offset).min();
        if let Some(first) = first {
            let (parts, bodies, steps) = (&self.parts, &mut self.bodies, &mut self.steps);
            let wanted = &open;
            parts
                .bus
                .read_partition::<W::Order>(self.partition, Some(first), |update, offset| {
                    let Update::Put(order) = update else { return };
                    let id = parts.work.ticket(&order.event).id;
                    if wanted.get(&id).is_some_and(|memory| memory.offset == offset) {
                        steps.insert(id, parts.work.steps(&order.event));
                        bodies.keep(id, order, RECALLED_WEIGHT);
                    }
                })
                .await?;
        }
        for (id, memory) in open {
            let Some(steps) = self.steps.get(&id) else {
                error!(order = %id, "The order is no longer in its topic; ending it");
                self.bury(memory).await?;
                continue;
            };
            let idempotent = |name: &str| steps.iter().find(|s| s.name == name).is_none_or(|s| s.idempotent);
            self.machine.recall(memory, idempotent);
        }
        Ok(())
    }
}
