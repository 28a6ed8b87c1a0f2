//! A holder that knows what is written.

mod commit;
mod recall;
mod reconcile;

use std::{collections::HashMap, sync::Arc, time::Duration};

use event_bus::{Outgoing, Transactional};
use events::{Envelope, Outcome};
use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{AbortHandle, BoxFuture},
    stream::FuturesUnordered,
};
use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot},
    time::MissedTickBehavior,
};
use tracing::{Instrument as _, debug, info_span, warn};
use uuid::Uuid;

use super::{End, Incoming};
use crate::{
    bodies::Bodies,
    hook::{Moment, Point},
    machine::Machine,
    memory::{Memory, Phase},
    metrics::{Ended, Failed, Partition},
    saga::Parts,
    work::{Attempt, Step, StepError, Transition, Work},
};

/// Orders, ends of steps and so on that one transaction takes.
const GROUP: usize = 64;

/// An attempt that ended.
struct Performed {
    id: Uuid,
    step: String,
    result: Result<Vec<Outgoing>, StepError>,
    notes: Vec<String>,
}

/// What one transaction shall write, and who waits for it.
#[derive(Default)]
struct Batch {
    transitions: Vec<Transition>,
    extra: Vec<Outgoing>,
    accepted: Vec<oneshot::Sender<()>>,
}

pub(super) struct Live<W: Work> {
    parts: Arc<Parts<W>>,
    partition: i32,
    producer: Transactional,
    machine: Machine,
    bodies: Bodies<W::Order>,
    states: HashMap<Uuid, W::State>,
    steps: HashMap<Uuid, Vec<Step>>,
    accepted_at: HashMap<Uuid, Timestamp>,
    performing: FuturesUnordered<BoxFuture<'static, Option<Performed>>>,
    cuts: HashMap<Uuid, AbortHandle>,
}

impl<W: Work> Live<W> {
    /// Works until something ends it.
    pub(super) async fn work(&mut self, inbox: &mut mpsc::Receiver<Incoming<W::Order>>) -> End {
        let mut reconcile = tokio::time::interval(self.parts.settings.reconcile_every);
        reconcile.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Batch::default();
        loop {
            let now = self.now();
            let steps = |id| self.steps.get(&id).cloned();
            let begun = self.machine.tick(now, self.parts.settings.at_once, steps);
            batch.add(begun, &self.accepted_at, &[]);
            if let Err(end) = self.commit(std::mem::take(&mut batch)).await {
                return end;
            }
            let wake = self.until_next_wake();
            tokio::select! {
                biased;
                Some(performed) = self.performing.next() => {
                    let mut next = performed;
                    for _ in 0..GROUP {
                        if let Some(performed) = next.take()
                            && self.ended(performed, &mut batch)
                        {
                            return End::Killed;
                        }
                        match self.performing.next().now_or_never() {
                            Some(Some(performed)) => next = performed,
                            _ => break,
                        }
                    }
                }
                incoming = inbox.recv() => {
                    let Some(mut incoming) = incoming else { return End::Released };
                    for _ in 0..GROUP {
                        self.take_in(incoming, &mut batch);
                        match inbox.try_recv() {
                            Ok(next) => incoming = next,
                            Err(_) => break,
                        }
                    }
                }
                () = tokio::time::sleep(wake) => {}
                _ = reconcile.tick() => {
                    if let Err(end) = self.reconcile(&mut batch).await {
                        return end;
                    }
                }
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.parts.bus.clock().now()
    }

    fn until_next_wake(&self) -> Duration {
        let hour = Duration::from_hours(1);
        let Some(wake) = self.machine.next_wake() else { return hour };
        let wait = wake.duration_since(self.now());
        // A step that waits for room has passed its time; the end of another step wakes it.
        let room = self.performing.len() < self.parts.settings.at_once;
        let least = Duration::from_millis(if room { 1 } else { 1000 });
        Duration::try_from(wait).unwrap_or_default().clamp(least, hour)
    }

    fn take_in(&mut self, incoming: Incoming<W::Order>, batch: &mut Batch) {
        let now = self.now();
        let ticket = self.parts.work.ticket(&incoming.order.event);
        batch.accepted.push(incoming.accepted);
        let changes = self.machine.accept(now, &ticket, incoming.offset);
        if changes.is_empty() {
            return;
        }
        self.steps.insert(ticket.id, self.parts.work.steps(&incoming.order.event));
        self.accepted_at.insert(ticket.id, now);
        self.bodies.keep(ticket.id, incoming.order, incoming.weight);
        batch.add(changes, &self.accepted_at, &[]);
    }

    /// Takes in the end of an attempt; true when the hook ends the holder.
    fn ended(&mut self, performed: Performed, batch: &mut Batch) -> bool {
        let Performed { id, step, result, notes } = performed;
        if self.killed(id, &Point::Effect(step.clone()), Moment::After) {
            return true;
        }
        self.cuts.remove(&id);
        let now = self.now();
        let changes = match result {
            Ok(records) => {
                let steps = self.steps.get(&id).cloned().unwrap_or_default();
                let changes = self.machine.succeeded(now, id, &step, &steps);
                if !changes.is_empty() {
                    batch.extra.extend(records);
                }
                changes
            }
            Err(error) => {
                let labels = Failed { saga: self.parts.name.clone(), step: step.clone() };
                self.parts.metrics.attempts_failed.get_or_create(&labels).inc();
                warn!(order = %id, step, reason = error.problem.reason, "Step `{step}`: {}", error.problem.message);
                let (settings, random) = (&self.parts.settings, Arc::clone(self.parts.bus.random()));
                let wait = |attempt| settings.backoff.delay(attempt, &*random);
                self.machine.failed(now, id, error, settings, wait)
            }
        };
        batch.add(changes, &self.accepted_at, &notes);
        false
    }

    /// Does what a committed transition asks for.
    async fn follow(&mut self, memory: &Memory) -> Result<(), End> {
        match &memory.phase {
            Phase::Intent { step, attempt, until } if self.is_to_begin(memory) => {
                let order = self.bodies.get(memory.id, memory.offset).await?;
                self.perform(memory.id, step.clone(), *attempt, *until, order);
            }
            Phase::Decided(decision) => {
                if let Some(cut) = self.cuts.remove(&memory.id) {
                    cut.abort();
                }
                self.bodies.drop(memory.id);
                self.steps.remove(&memory.id);
                self.accepted_at.remove(&memory.id);
                let outcome = outcome_word(decision.outcome);
                debug!(order = %memory.id, outcome, "Order ended: {outcome}");
                let labels = Ended { saga: self.parts.name.clone(), outcome: outcome.to_owned() };
                self.parts.metrics.decided.get_or_create(&labels).inc();
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether an intent is the newest word about its order, and nothing acts on it yet.
    fn is_to_begin(&self, intent: &Memory) -> bool {
        let newest = self.machine.get(intent.id) == Some(intent);
        newest && self.machine.is_running(intent.id) && !self.cuts.contains_key(&intent.id)
    }

    fn perform(
        &mut self,
        id: Uuid,
        step: String,
        number: u32,
        until: Timestamp,
        order: Arc<Envelope<W::Order>>,
    ) {
        let parts = Arc::clone(&self.parts);
        let left = Duration::try_from(until.duration_since(self.now())).unwrap_or_default();
        let span = info_span!("saga.step", saga = %parts.name, order = %id, step, attempt = number);
        let attempt = async move {
            let attempt = Attempt::new(number, until);
            let performed = parts.work.perform(&step, &order, &attempt);
            let result = tokio::time::timeout(left, performed).await.unwrap_or_else(|_| {
                Err(StepError::retry("timeout", format!("step `{step}` did not end in time")))
            });
            let notes = attempt.take_notes();
            Performed { id, step, result, notes }
        };
        let (attempt, cut) = futures_util::future::abortable(attempt.instrument(span));
        self.cuts.insert(id, cut);
        self.performing.push(attempt.map(Result::ok).boxed());
    }

    fn count(&self) {
        let labels = Partition { saga: self.parts.name.clone(), partition: self.partition };
        let (mut open, mut attention) = (0, 0);
        for memory in self.machine.open() {
            open += 1;
            attention += i64::from(memory.needs_attention);
        }
        self.parts.metrics.open.get_or_create(&labels).set(open);
        self.parts.metrics.attention.get_or_create(&labels).set(attention);
    }
}

impl Batch {
    /// Adds changes; the notes belong to the first of them.
    fn add(&mut self, changes: Vec<Memory>, accepted_at: &HashMap<Uuid, Timestamp>, notes: &[String]) {
        let mut notes = Some(notes.to_vec());
        self.transitions.extend(changes.into_iter().map(|memory| Transition {
            accepted_at: accepted_at.get(&memory.id).copied().unwrap_or(memory.at),
            notes: notes.take().unwrap_or_default(),
            memory,
        }));
    }
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::Superseded => "superseded",
        Outcome::Cancelled => "cancelled",
        Outcome::Expired => "expired",
        Outcome::Unknown => "unknown",
    }
}
