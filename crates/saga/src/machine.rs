//! The decisions: what becomes of orders, given what is remembered and the time. No I/O.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::{Disposition, id::Generation};
use events::Outcome;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    memory::{Decision, Memory, Phase},
    settings::Settings,
    work::{Kind, Step, StepError, Ticket},
};

/// The orders of one partition.
#[derive(Default)]
pub(crate) struct Machine {
    orders: HashMap<Uuid, Memory>,
    queues: HashMap<String, Queue>,
    running: HashSet<Uuid>,
}

/// The orders of one key.
#[derive(Default)]
struct Queue {
    /// Those that have not ended, the lowest generation first.
    open: BTreeMap<(Generation, i64), Uuid>,
    running: Option<Uuid>,
    /// The next attempt begins then.
    wake: Option<Timestamp>,
    /// The order whose step a former holder may still perform, and until when.
    held_back: Option<(Uuid, Timestamp)>,
    /// The highest generation that was ever accepted, and its order.
    newest: Option<(Generation, Uuid)>,
}

impl Machine {
    /// Takes in what a former holder remembered. `idempotent` says whether a step may be repeated at once.
    pub(crate) fn recall(&mut self, memory: Memory, idempotent: impl FnOnce(&str) -> bool) {
        let queue = self.queues.entry(memory.key.clone()).or_default();
        queue.remember(&memory);
        if !memory.is_decided() {
            queue.open.insert((memory.generation, memory.offset), memory.id);
            if let Phase::Intent { step, until, .. } = &memory.phase
                && !idempotent(step)
            {
                queue.held_back = Some((memory.id, *until));
            }
        }
        self.orders.insert(memory.id, memory);
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&Memory> {
        self.orders.get(&id)
    }

    /// Every order that has not ended.
    pub(crate) fn open(&self) -> impl Iterator<Item = &Memory> {
        self.orders.values().filter(|memory| !memory.is_decided())
    }

    /// The newest order of every key at which nothing is to be done.
    pub(crate) fn idle(&self) -> impl Iterator<Item = &Memory> {
        let idle = self.queues.values().filter(|queue| queue.open.is_empty());
        idle.filter_map(|queue| self.orders.get(&queue.newest?.1))
    }

    /// Ended orders that need not be remembered any longer: not the newest of their keys, and older than `before`.
    pub(crate) fn forgettable(&self, before: Timestamp) -> Vec<Uuid> {
        let newest: HashSet<Uuid> = self.queues.values().filter_map(|queue| Some(queue.newest?.1)).collect();
        let old =
            |memory: &&Memory| memory.is_decided() && memory.at < before && !newest.contains(&memory.id);
        self.orders.values().filter(old).map(|memory| memory.id).collect()
    }

    pub(crate) fn forget(&mut self, id: Uuid) {
        self.orders.remove(&id);
    }

    /// Takes in an order. Nothing changes when it is known.
    pub(crate) fn accept(&mut self, now: Timestamp, ticket: &Ticket, offset: i64) -> Vec<Memory> {
        if self.orders.contains_key(&ticket.id) {
            return Vec::new();
        }
        let memory = Memory {
            id: ticket.id,
            key: ticket.key.clone(),
            generation: ticket.generation,
            offset,
            deadline: ticket.deadline,
            cancels: matches!(ticket.kind, Kind::Cancel(_)),
            phase: Phase::Accepted,
            needs_attention: false,
            problem: None,
            at: now,
        };
        if let Kind::Cancel(target) = ticket.kind {
            return self.cancel(now, memory, target);
        }
        let queue = self.queues.entry(ticket.key.clone()).or_default();
        let newest = queue.newest.map(|(generation, _)| generation);
        if ticket.deadline <= now {
            let decision = Decision::because(
                Outcome::Expired,
                "expired",
                "its deadline had passed before it was taken in",
            );
            return vec![self.end(now, memory, decision)];
        }
        if newest.is_some_and(|newest| newest > ticket.generation) {
            return vec![self.end(now, memory, superseded())];
        }
        queue.remember(&memory);
        queue.open.insert((memory.generation, offset), memory.id);
        let replaced: Vec<Uuid> = queue.replaced(ticket.generation);
        let mut changes = vec![memory.clone()];
        self.orders.insert(memory.id, memory);
        for id in replaced {
            changes.extend(self.decide(now, id, superseded()));
        }
        changes
    }

    fn cancel(&mut self, now: Timestamp, order: Memory, target: Uuid) -> Vec<Memory> {
        let ended = self.orders.get(&target).is_none_or(Memory::is_decided);
        if ended {
            let decision =
                Decision::because(Outcome::Failed, "nothing-to-cancel", "that order is not under way");
            return vec![self.end(now, order, decision)];
        }
        let mut changes = vec![self.end(now, order, Decision::of(Outcome::Succeeded))];
        let cancelled = Decision::because(Outcome::Cancelled, "cancelled", "somebody cancelled it");
        changes.extend(self.decide(now, target, cancelled));
        changes
    }

    /// Remembers an order that ends as it is taken in; it is nobody's newest.
    fn end(&mut self, now: Timestamp, mut order: Memory, decision: Decision) -> Memory {
        order.phase = Phase::Decided(decision);
        order.at = now;
        self.orders.insert(order.id, order.clone());
        order
    }

    /// Ends what has passed its deadline, and begins what may begin, at most `room` steps.
    pub(crate) fn tick(
        &mut self,
        now: Timestamp,
        room: usize,
        steps: impl Fn(Uuid) -> Option<Vec<Step>>,
    ) -> Vec<Memory> {
        let mut changes = Vec::new();
        let overdue: Vec<Uuid> = self
            .open()
            .filter(|memory| memory.deadline <= now && !self.running.contains(&memory.id))
            .map(|memory| memory.id)
            .collect();
        for id in overdue {
            if let Some(decision) = self.orders.get(&id).map(overdue_decision) {
                changes.extend(self.decide(now, id, decision));
            }
        }
        let ready: Vec<String> =
            self.queues.iter().filter(|(_, queue)| queue.is_ready(now)).map(|(key, _)| key.clone()).collect();
        for key in ready {
            if self.running.len() >= room {
                break;
            }
            changes.extend(self.begin(now, &key, &steps));
        }
        changes
    }

    /// Begins the newest order of a key; lower ones, which waited for a former holder's step, end.
    fn begin(
        &mut self,
        now: Timestamp,
        key: &str,
        steps: &impl Fn(Uuid) -> Option<Vec<Step>>,
    ) -> Vec<Memory> {
        let Some(queue) = self.queues.get_mut(key) else { return Vec::new() };
        queue.wake = None;
        queue.held_back = None;
        let Some((&(generation, _), _)) = queue.open.last_key_value() else { return Vec::new() };
        let lower = queue.replaced(generation);
        // Of one generation the first that came.
        let Some((_, &id)) = queue.open.range((generation, i64::MIN)..).next() else { return Vec::new() };
        let mut changes = Vec::new();
        for lower in lower {
            changes.extend(self.decide(now, lower, superseded()));
        }
        let Some(steps) = steps(id) else { return changes };
        changes.extend(self.intend(now, id, &steps));
        changes
    }

    /// The intent of the next step of an order, or its end when there is none.
    fn intend(&mut self, now: Timestamp, id: Uuid, steps: &[Step]) -> Option<Memory> {
        let memory = self.orders.get_mut(&id)?;
        let (at, attempt) = match &memory.phase {
            Phase::Accepted => (0, 1),
            Phase::Intent { step, attempt, .. } => (position(steps, step).unwrap_or(0), attempt + 1),
            Phase::Done { step } => (position(steps, step).map_or(0, |done| done + 1), 1),
            Phase::Decided(_) => return None,
        };
        let Some(step) = steps.get(at) else {
            return self.decide(now, id, Decision::of(Outcome::Succeeded));
        };
        let until = now.checked_add(step.timeout).unwrap_or(memory.deadline).min(memory.deadline);
        memory.phase = Phase::Intent { step: step.name.to_owned(), attempt, until };
        memory.at = now;
        let memory = memory.clone();
        if let Some(queue) = self.queues.get_mut(&memory.key) {
            queue.running = Some(id);
        }
        self.running.insert(id);
        Some(memory)
    }

    /// A step has ended well: it is done, and the next one begins or the order has succeeded.
    pub(crate) fn succeeded(&mut self, now: Timestamp, id: Uuid, step: &str, steps: &[Step]) -> Vec<Memory> {
        if !self.stop_running(id) {
            return Vec::new();
        }
        let Some(memory) = self.orders.get_mut(&id) else { return Vec::new() };
        memory.phase = Phase::Done { step: step.to_owned() };
        memory.needs_attention = false;
        memory.problem = None;
        memory.at = now;
        let mut changes = vec![memory.clone()];
        let last = position(steps, step).is_none_or(|at| at + 1 >= steps.len());
        let overdue = memory.deadline <= now;
        if overdue && !last {
            let decision = overdue_decision(memory);
            changes.extend(self.decide(now, id, decision));
        } else {
            changes.extend(self.intend(now, id, steps));
        }
        changes
    }

    /// An attempt has failed: it is repeated after `wait`, or the order ends.
    pub(crate) fn failed(
        &mut self,
        now: Timestamp,
        id: Uuid,
        error: StepError,
        settings: &Settings,
        wait: impl FnOnce(u32) -> std::time::Duration,
    ) -> Vec<Memory> {
        if !self.stop_running(id) {
            return Vec::new();
        }
        let Some(memory) = self.orders.get_mut(&id) else { return Vec::new() };
        memory.problem = Some(error.problem.clone());
        if error.disposition == Disposition::Reject || memory.deadline <= now {
            let decision = Decision { outcome: Outcome::Failed, problem: Some(error.problem) };
            return self.decide(now, id, decision).into_iter().collect();
        }
        memory.at = now;
        let mut tried = 1;
        if let Phase::Intent { attempt, until, .. } = &mut memory.phase {
            tried = *attempt;
            // Nothing acts any more, so a successor need not wait.
            *until = now;
        }
        memory.needs_attention = tried >= settings.attention_after;
        let memory = memory.clone();
        if let Some(queue) = self.queues.get_mut(&memory.key) {
            queue.wake = now.checked_add(wait(tried)).ok();
        }
        vec![memory]
    }

    /// When something is to be done next without anything happening before.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        let waiting = self.queues.values().filter(|queue| !queue.open.is_empty() && queue.running.is_none());
        let wakes = waiting.filter_map(Queue::wakes);
        let deadlines = self.open().filter(|memory| !self.running.contains(&memory.id)).map(|m| m.deadline);
        wakes.chain(deadlines).min()
    }

    /// Whether the step of an order is being performed.
    pub(crate) fn is_running(&self, id: Uuid) -> bool {
        self.running.contains(&id)
    }

    fn decide(&mut self, now: Timestamp, id: Uuid, decision: Decision) -> Option<Memory> {
        self.stop_running(id);
        let memory = self.orders.get_mut(&id)?;
        if memory.is_decided() {
            return None;
        }
        memory.phase = Phase::Decided(decision);
        memory.needs_attention = false;
        memory.at = now;
        let memory = memory.clone();
        if let Some(queue) = self.queues.get_mut(&memory.key) {
            queue.open.remove(&(memory.generation, memory.offset));
            // The wait was for the order that ended or stands before a newer one, which need not wait for it.
            queue.wake = None;
        }
        Some(memory)
    }

    fn stop_running(&mut self, id: Uuid) -> bool {
        let Some(memory) = self.orders.get(&id) else { return false };
        if let Some(queue) = self.queues.get_mut(&memory.key)
            && queue.running == Some(id)
        {
            queue.running = None;
        }
        self.running.remove(&id)
    }
}

impl Queue {
    fn remember(&mut self, memory: &Memory) {
        // What ended before it began says nothing about what was wanted last.
        let counts = !memory.cancels
            && !matches!(&memory.phase, Phase::Decided(decision)
            if matches!(decision.outcome, Outcome::Superseded | Outcome::Expired));
        let newer = self.newest.is_none_or(|(newest, _)| memory.generation >= newest);
        if counts && newer {
            self.newest = Some((memory.generation, memory.id));
        }
    }

    fn is_ready(&self, now: Timestamp) -> bool {
        !self.open.is_empty() && self.running.is_none() && self.wakes().is_none_or(|wake| wake <= now)
    }

    fn wakes(&self) -> Option<Timestamp> {
        self.wake.max(self.held_back.map(|(_, until)| until))
    }

    /// Those of a lower generation that are not being performed, nor may still be by a former holder.
    fn replaced(&self, generation: Generation) -> Vec<Uuid> {
        let acting =
            |id: &Uuid| self.running == Some(*id) || self.held_back.is_some_and(|(held, _)| held == *id);
        self.open.range(..(generation, i64::MIN)).map(|(_, id)| *id).filter(|id| !acting(id)).collect()
    }
}

fn position(steps: &[Step], name: &str) -> Option<usize> {
    steps.iter().position(|step| step.name == name)
}

fn superseded() -> Decision {
    Decision::because(Outcome::Superseded, "superseded", "a newer order took its place")
}

fn overdue_decision(memory: &Memory) -> Decision {
    match (&memory.phase, &memory.problem) {
        (Phase::Accepted, _) => {
            Decision::because(Outcome::Expired, "expired", "its deadline passed before it was begun")
        }
        (_, Some(problem)) => Decision { outcome: Outcome::Failed, problem: Some(problem.clone()) },
        (_, None) => Decision::because(Outcome::Failed, "deadline", "its deadline passed before it was done"),
    }
}

#[cfg(test)]
mod tests;
