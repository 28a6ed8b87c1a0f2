//! What a handler may know about the record in its hand besides its content.

use std::{num::NonZeroU32, sync::Arc};

use runtime::Stopping;

use crate::{consumer::Hold, dead_letter::SOURCE_OFFSET, record::Record};

/// One delivery of one record.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub(crate) record: Arc<Record>,
    pub(crate) attempt: NonZeroU32,
    pub(crate) hold: Hold,
    pub(crate) stopping: Stopping,
}

impl Delivery {
    /// The topic that it came from: the event's own, or the group's retry topic.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.record.topic
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> i32 {
        self.record.partition
    }

    /// The offset.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.record.offset
    }

    /// The offset in the event's own topic, also when the record was replayed.
    #[must_use]
    pub fn source_offset(&self) -> i64 {
        let replayed = self.header(SOURCE_OFFSET).and_then(|text| text.parse().ok());
        replayed.unwrap_or(self.record.offset)
    }

    /// Counts the attempts of this process, from 1.
    #[must_use]
    pub fn attempt(&self) -> NonZeroU32 {
        self.attempt
    }

    /// The record's key.
    #[must_use]
    pub fn key(&self) -> String {
        self.record.key_text()
    }

    /// A header, when it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.record.header(name)
    }

    /// The value as it was written, for signatures.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        self.record.value.as_deref().unwrap_or_default()
    }

    /// Milliseconds since 1970 at which the producer or the broker stamped it.
    #[must_use]
    pub fn timestamp_ms(&self) -> i64 {
        self.record.timestamp_ms
    }

    /// Whether this process still holds the partition; always true for a reader without a group.
    #[must_use]
    pub fn hold(&self) -> &Hold {
        &self.hold
    }

    /// Whether the process is asked to stop.
    #[must_use]
    pub fn stopping(&self) -> &Stopping {
        &self.stopping
    }
}
