//! A holder that knows what is written.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use domain::Failure;
use event_bus::{Outgoing, Transactional, Update};
use events::{Envelope, Event as _, Outcome};
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
use tracing::{Instrument as _, debug, error, info_span, warn};
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
/// What an order that was read back is taken to weigh.
const RECALLED_WEIGHT: usize = 64 * 1024;

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
    /// Fences the former holder and reads what is written.
    pub(super) async fn recall(parts: Arc<Parts<W>>, partition: i32) -> Result<Self, End> {
        let bus = parts.bus.clone();
        let producer = bus.transactional::<W::Order>(&parts.name, partition).await?;
        let mut written = BTreeMap::new();
        bus.read_partition::<W::State>(partition, None, |update, _| {
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
                error!(order = %id, "The order is no longer in its topic; forgetting it");
                self.forget(&[id]).await?;
                continue;
            };
            let idempotent = |name: &str| steps.iter().find(|s| s.name == name).is_none_or(|s| s.idempotent);
            self.machine.recall(memory, idempotent);
        }
        Ok(())
    }

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

    /// Writes a batch in one transaction, then tells those who wait and starts what was intended.
    async fn commit(&mut self, batch: Batch) -> Result<(), End> {
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

    /// Repairs what has drifted, and forgets what is old enough.
    async fn reconcile(&mut self, batch: &mut Batch) -> Result<(), End> {
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

    async fn forget(&mut self, ids: &[Uuid]) -> Result<(), End> {
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

    fn kill(&self, transition: &Transition, moment: Moment) -> Result<(), End> {
        let memory = &transition.memory;
        let killed = self.killed(memory.id, &Point::Transition(point(memory)), moment);
        if killed { Err(End::Killed) } else { Ok(()) }
    }

    fn killed(&self, id: Uuid, point: &Point, moment: Moment) -> bool {
        self.parts.hook.as_ref().is_some_and(|hook| hook(id, point, moment))
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

fn unsure(failure: Failure) -> End {
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
