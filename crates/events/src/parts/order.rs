//! What orders want.

use serde::{Deserialize, Serialize};

/// What an order wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// Bring the content to the gateway.
    Apply,
    /// Take the API off the gateway.
    Remove,
    /// End the running order named in `cancels`.
    Cancel,
    /// Bring back what was live before the broker was lost.
    Reassert,
    /// Bring the content to the gateway once more, though it was told the same before.
    Sync,
}

/// How an order ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// The gateway does what was ordered, verified.
    Succeeded,
    /// It could not be done, for the reason given.
    Failed,
    /// A newer order took its place.
    Superseded,
    /// Somebody cancelled it.
    Cancelled,
    /// Its deadline had passed before it was begun.
    Expired,
}
