//! Topic `audit-log`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use domain::id::CommitId;

use crate::{event::event, topics};

/// Who did what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// The tenant; as it was named when it does not exist.
    pub tenant: String,
    /// Who.
    pub actor: String,
    /// What, as `entity.verb`.
    pub action: String,
    /// On which entity.
    pub entity: String,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Why it was not done: a stable word.
    pub reason: Option<String>,
    /// Why it was not done, for people.
    pub message: Option<String>,
    /// The commit that it became.
    pub commit: Option<CommitId>,
    /// From where: an address or a topic.
    pub source: Option<String>,
    /// Id of the trace that follows it.
    pub trace: Option<String>,
    /// When.
    #[serde(with = "crate::field::millis")]
    pub at: Timestamp,
}

/// How an action ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// Done.
    Success,
    /// It failed.
    Failure,
    /// The caller may not do it.
    Denied,
    /// The request was not acceptable.
    Refused,
}

event!(
    AuditRecord,
    topics::AUDIT_LOG,
    "audit-log",
    1,
    key = |record| record.tenant.clone(),
    subject = |record| record.entity.clone()
);
