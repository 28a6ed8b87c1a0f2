//! Where tests may end a holder.

use std::sync::Arc;

use uuid::Uuid;

/// A place in the life of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Point {
    /// The transaction of a transition; the name is `accepted`, `intent:<step>`, `done:<step>` or
    /// `decided`.
    Transition(String),
    /// The effect of a step has happened, and nothing of it is written yet.
    Effect(String),
}

/// Which moment of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Nothing is written yet.
    Before,
    /// Everything is written, but the transaction is open.
    Within,
    /// The transaction is committed, and nobody was told.
    After,
}

/// Says at which point a holder ends as if its process were killed; `true` ends it.
pub type Hook = Arc<dyn Fn(Uuid, &Point, Moment) -> bool + Send + Sync>;
