//! What the machine remembers about one order.

use domain::id::Generation;
use events::Outcome;
use jiff::Timestamp;
use uuid::Uuid;

/// The memory of one order; a service writes it as its state record and reads it back.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    /// The order.
    pub id: Uuid,
    /// The queue that it belongs to.
    pub key: String,
    /// A higher one replaces a lower one.
    pub generation: Generation,
    /// Where the order stands in its partition.
    pub offset: i64,
    /// After this nothing is begun.
    pub deadline: Timestamp,
    /// It only ends another order.
    pub cancels: bool,
    /// Where it stands.
    pub phase: Phase,
    /// It keeps failing and waits for a person, while it goes on trying.
    pub needs_attention: bool,
    /// Why the last attempt failed.
    pub problem: Option<Problem>,
    /// When this became so.
    pub at: Timestamp,
}

/// Where an order stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Taken in.
    Accepted,
    /// A step may be acting.
    Intent {
        /// The step.
        step: String,
        /// From 1.
        attempt: u32,
        /// Until when; a moment that has passed says that nothing acts.
        until: Timestamp,
    },
    /// A step is done.
    Done {
        /// The step.
        step: String,
    },
    /// It has ended.
    Decided(Decision),
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The outcome.
    pub outcome: Outcome,
    /// Why.
    pub problem: Option<Problem>,
}

impl Decision {
    pub(crate) fn of(outcome: Outcome) -> Self {
        Self { outcome, problem: None }
    }

    pub(crate) fn because(outcome: Outcome, reason: &str, message: impl Into<String>) -> Self {
        Self { outcome, problem: Some(Problem { reason: reason.to_owned(), message: message.into() }) }
    }
}

/// A reason with its explanation.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// A stable word.
    pub reason: String,
    /// For people.
    pub message: String,
}

impl Memory {
    /// Whether it has ended.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        matches!(self.phase, Phase::Decided(_))
    }

    /// Whether it ended well.
    #[must_use]
    pub fn has_succeeded(&self) -> bool {
        matches!(&self.phase, Phase::Decided(decision) if decision.outcome == Outcome::Succeeded)
    }
}
