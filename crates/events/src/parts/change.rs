//! The provenance of a change.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use domain::id::{CommitId, Revision};

/// Who changed something, where it stands in Git, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The subject who made the change; `unverified` when the commit does not prove it.
    pub actor: String,
    /// The commit on the relayed line.
    pub commit: CommitId,
    /// The relay's revision.
    pub revision: Revision,
    /// Id of the trace that follows the commit.
    pub trace: String,
    /// When the commit was made.
    #[serde(with = "crate::field::millis")]
    pub at: Timestamp,
}
