//! Topic `catalog-heads`.

use serde::{Deserialize, Serialize};

use domain::id::{CommitId, Epoch, Revision};

use crate::{event::event, topics};

/// How far the catalogue is written; the last record of a relay step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogHeads {
    /// The repository.
    pub repository: String,
    /// The epoch of the broker.
    pub epoch: Epoch,
    /// The revision of the step.
    pub revision: Revision,
    /// The commit that the catalogue shows.
    pub commit: CommitId,
    /// Each catalogue topic.
    pub topics: Vec<TopicHead>,
}

/// How far a catalogue topic is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopicHead {
    /// The topic.
    pub topic: String,
    /// The next offset of each partition.
    pub next_offsets: Vec<i64>,
    /// Keys that are not removed.
    pub live_keys: i64,
}

event!(
    CatalogHeads,
    topics::CATALOG_HEADS,
    "catalog-heads",
    1,
    key = |record| record.repository.clone(),
    subject = |record| record.repository.clone()
);
