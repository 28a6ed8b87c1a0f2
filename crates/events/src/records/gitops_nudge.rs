//! Topic `gitops-nudges`.

use serde::{Deserialize, Serialize};

use domain::id::CommitId;

use crate::{event::event, topics};

/// Look at Git.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GitopsNudge {
    /// The repository.
    pub repository: String,
    /// Why.
    pub reason: NudgeReason,
    /// The commit to expect, if known.
    pub commit: Option<CommitId>,
}

/// Why to look at Git.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NudgeReason {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// The control plane committed.
    Commit,
    /// The forge called.
    Webhook,
    /// It was time.
    Timer,
    /// Somebody asked.
    Request,
}

event!(
    GitopsNudge,
    topics::GITOPS_NUDGES,
    "gitops-nudges",
    1,
    key = |record| record.repository.clone(),
    subject = |record| record.repository.clone()
);
