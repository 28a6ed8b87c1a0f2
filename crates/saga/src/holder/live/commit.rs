//! What becomes one transaction, and who is told of it.

use domain::Failure;
use event_bus::Outgoing;
use uuid::Uuid;

use super::{Batch, Live};
use crate::{
    holder::End,
    hook::{Moment, Point},
    memory::{Memory, Phase},
    work::{Transition, Work},
};

impl<W: Work> Live<W> {
    /// Writes a batch in one transaction, then tells those who wait and starts what was intended.
    pub(super) async fn commit(&mut self, batch: Batch) -> Result<(), End> {
        if !batch.transitions.is_empty() || !batch.extra.is_empty() {
            let mut outgoing = batch.extra;
            for transition in &batch.transitions {
                self.kill(transition, Moment::Before)?;
                outgoing.extend(self.records(transition).await?);
            }
            self.producer.write(&outgoing).await?;
            for transition in &batch.transitions {
                self.kill(transition, Moment::Within)?;
            }
            self.producer.seal().await?;
            for transition in &batch.transitions {
                self.kill(transition, Moment::After)?;
            }
        }
        for accepted in batch.accepted {
            // A consumer that has gone meets the order again and finds it known.
            let _ = accepted.send(());
        }
        for transition in batch.transitions {
            self.follow(&transition.memory).await?;
        }
        self.count();
        Ok(())
    }

    /// The state record of a transition and what others are told.
    async fn records(&mut self, transition: &Transition) -> Result<Vec<Outgoing>, End> {
        let memory = &transition.memory;
        let order = self.bodies.get(memory.id, memory.offset).await?;
        let state = self.parts.work.state(&order.event, memory);
        let id = domain::id::derived_id(&[
            &memory.id.to_string(),
            "state",
            &point(memory),
            &memory.at.as_nanosecond().to_string(),
        ]);
        let envelope = self.parts.bus.envelope(id, state.clone());
        let record = self.parts.bus.prepare(&envelope).await?.to_partition(self.partition);
        self.states.insert(memory.id, state);
        let mut records = vec![record];
        records.extend(self.parts.work.records(&order, transition).await.map_err(unsure)?);
        Ok(records)
    }

    fn kill(&self, transition: &Transition, moment: Moment) -> Result<(), End> {
        let memory = &transition.memory;
        let killed = self.killed(memory.id, &Point::Transition(point(memory)), moment);
        if killed { Err(End::Killed) } else { Ok(()) }
    }

    pub(super) fn killed(&self, id: Uuid, point: &Point, moment: Moment) -> bool {
        self.parts.hook.as_ref().is_some_and(|hook| hook(id, point, moment))
    }
}

pub(super) fn unsure(failure: Failure) -> End {
    End::Unsure(failure.source)
}

/// The name of a transition.
fn point(memory: &Memory) -> String {
    match &memory.phase {
        Phase::Accepted => "accepted".to_owned(),
        Phase::Intent { step, .. } => format!("intent:{step}"),
        Phase::Done { step } => format!("done:{step}"),
        Phase::Decided(_) => "decided".to_owned(),
    }
}
