//! What a service says about its orders.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::{Classify, Disposition, Failure, id::Generation};
use event_bus::Outgoing;
use events::{Envelope, Event};
use jiff::Timestamp;
use uuid::Uuid;

use crate::memory::{Memory, Problem};

/// What the machine needs to know of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// The order.
    pub id: Uuid,
    /// Orders of one key run one at a time.
    pub key: String,
    /// A higher one replaces a lower one.
    pub generation: Generation,
    /// After this nothing is begun.
    pub deadline: Timestamp,
    /// What it wants.
    pub kind: Kind,
}

/// What an order wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// That its steps are done.
    Run,
    /// That another order ends.
    Cancel(Uuid),
}

/// A step of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// A stable word.
    pub name: &'static str,
    /// Whether it may be repeated while a former attempt still acts.
    pub idempotent: bool,
    /// How long one attempt may take.
    pub timeout: Duration,
}

/// One attempt at a step.
#[derive(Debug)]
pub struct Attempt {
    /// From 1; above 1 a former attempt may have had its effect.
    pub number: u32,
    /// When it is cut.
    pub until: Timestamp,
    pub(crate) notes: Mutex<Vec<String>>,
}

impl Attempt {
    /// An attempt; the machine makes them, and whoever performs a part of a step outside of it.
    #[must_use]
    pub fn new(number: u32, until: Timestamp) -> Self {
        Self { number, until, notes: Mutex::default() }
    }

    /// The first attempt.
    #[must_use]
    pub fn first(until: Timestamp) -> Self {
        Self::new(1, until)
    }

    /// Keeps a line for the history of the order.
    pub fn note(&self, line: impl Into<String>) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(line.into());
    }

    pub(crate) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Why an attempt at a step failed.
#[derive(Debug)]
pub struct StepError {
    /// Whether another attempt could end differently.
    pub disposition: Disposition,
    /// Why, as the outcome will say if it stays so.
    pub problem: Problem,
}

impl StepError {
    /// A failure that may pass.
    pub fn retry(reason: &str, message: impl Into<String>) -> Self {
        let problem = Problem { reason: reason.to_owned(), message: message.into() };
        Self { disposition: Disposition::Retry, problem }
    }

    /// A failure that stays: the order ends.
    pub fn reject(reason: &str, message: impl Into<String>) -> Self {
        Self { disposition: Disposition::Reject, ..Self::retry(reason, message) }
    }

    /// A failure of an adapter, under a stable word.
    pub fn of(reason: &str, error: &impl Classify) -> Self {
        Self { disposition: error.disposition(), ..Self::retry(reason, runtime::chain(error)) }
    }
}

/// What has changed about an order, for the records that tell others.
#[derive(Clone, Debug)]
pub struct Transition {
    /// What is so now.
    pub memory: Memory,
    /// When the order was accepted by this holder, if it knows.
    pub accepted_at: Timestamp,
    /// Lines that the step left.
    pub notes: Vec<String>,
}

/// A kind of durable work.
pub trait Work: Send + Sync + 'static {
    /// What is ordered.
    type Order: Event;
    /// What is remembered, on a compacted topic with as many partitions as the orders have.
    type State: Event;

    /// What the machine needs to know of an order.
    fn ticket(&self, order: &Self::Order) -> Ticket;

    /// The steps of an order, in order; each has a different name.
    fn steps(&self, order: &Self::Order) -> Vec<Step>;

    /// The state record of an order.
    fn state(&self, order: &Self::Order, memory: &Memory) -> Self::State;

    /// What a state record remembers; nothing when a newer version wrote what this one does not know.
    fn memory(&self, state: &Self::State) -> Option<Memory>;

    /// What others are told of a transition, in the same transaction: history, and the outcome when it is decided.
    fn records(
        &self,
        order: &Envelope<Self::Order>,
        transition: &Transition,
    ) -> impl Future<Output = Result<Vec<Outgoing>, Failure>> + Send;

    /// What others are told when an order ends because its topic no longer holds it: only its state is left.
    fn lost(
        &self,
        _state: &Self::State,
        _ended: &Memory,
    ) -> impl Future<Output = Result<Vec<Outgoing>, Failure>> + Send {
        std::future::ready(Ok(Vec::new()))
    }

    /// Does a step. What it returns is written with `done`, in one transaction.
    fn perform(
        &self,
        step: &str,
        order: &Envelope<Self::Order>,
        attempt: &Attempt,
    ) -> impl Future<Output = Result<Vec<Outgoing>, StepError>> + Send;

    /// Whether what the newest succeeded order of a key wanted is no longer so.
    fn drifted(&self, _state: &Self::State) -> bool {
        false
    }

    /// What makes it so again.
    fn repair(
        &self,
        _order: &Envelope<Self::Order>,
    ) -> impl Future<Output = Result<Vec<Outgoing>, Failure>> + Send {
        std::future::ready(Ok(Vec::new()))
    }
}
