//! Topic `request-outcomes`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use domain::id::CommitId;

use crate::{event::event, topics};

/// What became of a request at the door of the control plane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestOutcome {
    /// Id that the requester chose.
    pub request_id: String,
    /// The topic that the request came by.
    pub topic: String,
    /// The tenant that the request named.
    pub tenant: String,
    /// How it ended.
    pub outcome: RequestOutcomeKind,
    /// Why it was refused: a stable word.
    pub reason: Option<String>,
    /// Why it was refused, for people.
    pub message: Option<String>,
    /// The commit that it became.
    pub commit: Option<CommitId>,
    /// The group of the orders that follow.
    #[serde(with = "crate::field::uuid::option")]
    pub group: Option<Uuid>,
    /// When.
    #[serde(with = "crate::field::millis")]
    pub at: Timestamp,
}

/// How a request ended at the door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestOutcomeKind {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// It became a commit or an order, or was already so.
    Accepted,
    /// It had no effect, for the reason given.
    Refused,
}

event!(
    RequestOutcome,
    topics::REQUEST_OUTCOMES,
    "request-outcomes",
    1,
    key = |record| record.tenant.clone(),
    subject = |record| record.request_id.clone()
);
