//! What the store keeps of the effective state: one row per file, enough to resume.

use std::sync::Arc;

use domain::id::CommitId;
use serde::{Deserialize, Serialize};

use crate::{document::DocumentError, repository::BlobId};

/// A file and what became of it. All of it serialises; the path is the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The file.
    pub path: Arc<str>,
    /// What the branch holds there; `None` if the file was removed.
    pub head: Option<BlobId>,
    /// What is in effect; `None` if no valid content was ever there.
    pub effective: Option<Origin>,
    /// Why something else than the branch's content is in effect, or what is odd about it.
    pub problems: Vec<DocumentError>,
    /// What still refers to it, so that it stays although it was removed: keys of entities.
    pub orphaned_by: Vec<String>,
}

/// Content, and the commit by which it came into effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The content.
    pub blob: BlobId,
    /// The commit.
    pub commit: CommitId,
}

/// How a file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The branch's content is in effect.
    Current,
    /// The branch's content is not valid; former content stays in effect.
    Kept,
    /// The branch's content is not valid, and there is no former content.
    Refused,
    /// The file was removed, but something still refers to it, so it stays in effect.
    Orphaned,
}

impl Row {
    /// How the file stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match (&self.head, &self.effective) {
            (Some(head), Some(origin)) if *head == origin.blob => Standing::Current,
            (Some(_), Some(_)) => Standing::Kept,
            (None, Some(_)) => Standing::Orphaned,
            (_, None) => Standing::Refused,
        }
    }
}

/// A change of the rows, as the store applies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowChange {
    /// Write this row.
    Put(Arc<Row>),
    /// Delete the row with this path.
    Delete(Arc<str>),
}
