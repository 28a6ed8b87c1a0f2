//! Repairing what has drifted, and forgetting what is old.

use event_bus::Outgoing;
use events::{Event as _, Outcome};
use jiff::Timestamp;
use tracing::warn;
use uuid::Uuid;

use super::{Batch, GROUP, Live, commit::unsure, outcome_word};
use crate::{
    holder::End,
    memory::{Decision, Memory, Phase},
    metrics::Ended,
    work::Work,
};

impl<W: Work> Live<W> {
    /// Repairs what has drifted, and forgets what is old enough.
    pub(super) async fn reconcile(&mut self, batch: &mut Batch) -> Result<(), End> {
        let drifted: Vec<(Uuid, i64)> = self
            .machine
            .idle()
            .filter(|memory| memory.has_succeeded())
            .filter(|memory| self.states.get(&memory.id).is_some_and(|s| self.parts.work.drifted(s)))
            .map(|memory| (memory.id, memory.offset))
            .take(GROUP)
            .collect();
        for (id, offset) in drifted {
            match self.bodies.get(id, offset).await {
                Ok(order) => {
                    warn!(order = %id, "Repairing what has drifted from the newest accepted order");
                    batch.extra.extend(self.parts.work.repair(&order).await.map_err(unsure)?);
                }
                Err(error) => {
                    warn!(order = %id, error = %runtime::chain(&error), "Cannot repair without the order");
                }
            }
        }
        let remember = self.parts.settings.remember;
        let before = self.now().checked_sub(remember).unwrap_or(Timestamp::MIN);
        let old: Vec<Uuid> = self.machine.forgettable(before).into_iter().take(GROUP).collect();
        self.forget(&old).await
    }

    /// Ends an order that its topic no longer holds, and forgets it: it cannot come again.
    pub(super) async fn bury(&mut self, memory: Memory) -> Result<(), End> {
        let Some(state) = self.states.remove(&memory.id) else { return Ok(()) };
        let message = "it was not done while its topic held it";
        let decision = Decision::because(Outcome::Expired, "order-lost", message);
        let ended = Memory { phase: Phase::Decided(decision), at: self.now(), ..memory };
        let mut records = self.parts.work.lost(&state, &ended).await.map_err(unsure)?;
        records.push(Outgoing::removal::<W::State>(&state.key()).to_partition(self.partition));
        self.producer.commit(&records).await?;
        let labels =
            Ended { saga: self.parts.name.clone(), outcome: outcome_word(Outcome::Expired).to_owned() };
        self.parts.metrics.decided.get_or_create(&labels).inc();
        Ok(())
    }

    pub(super) async fn forget(&mut self, ids: &[Uuid]) -> Result<(), End> {
        let removals: Vec<Outgoing> = ids
            .iter()
            .filter_map(|id| self.states.get(id))
            .map(|state| Outgoing::removal::<W::State>(&state.key()).to_partition(self.partition))
            .collect();
        if !removals.is_empty() {
            self.producer.commit(&removals).await?;
        }
        for id in ids {
            self.states.remove(id);
            self.machine.forget(*id);
        }
        Ok(())
    }
}
