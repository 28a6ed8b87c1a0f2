//! Writing the records of a step, in batches, each only while the step is held.

use std::collections::BTreeMap;

use domain::id::Revision;
use event_bus::{Bus, Outgoing, Position};

use super::{RelayError, mirror::Part};
use crate::store::Store;

/// Most bytes of a batch: what is in memory at once.
const BYTES: usize = 8 * 1024 * 1024;
/// Most records of a batch.
const RECORDS: usize = 256;

/// Collects records and writes them in order.
pub(crate) struct Publisher<'a> {
    bus: &'a Bus,
    store: &'a Store,
    revision: Revision,
    holder: &'a str,
    waiting: Vec<(&'static str, Outgoing)>,
    bytes: usize,
    written: BTreeMap<Part, i64>,
}

impl<'a> Publisher<'a> {
    /// Writes for the open step `revision`, as `holder`.
    pub(crate) fn new(bus: &'a Bus, store: &'a Store, revision: Revision, holder: &'a str) -> Self {
        Self { bus, store, revision, holder, waiting: Vec::new(), bytes: 0, written: BTreeMap::new() }
    }

    /// Adds a record, and writes what waits when that is enough.
    pub(crate) async fn push(&mut self, topic: &'static str, record: Outgoing) -> Result<(), RelayError> {
        self.bytes += record.value().len();
        self.waiting.push((topic, record));
        if self.bytes >= BYTES || self.waiting.len() >= RECORDS {
            self.flush().await?;
        }
        Ok(())
    }

    /// Writes what waits; afterwards everything pushed so far is acknowledged.
    pub(crate) async fn flush(&mut self) -> Result<(), RelayError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.store.check_step(self.revision, self.holder).await?;
        let (topics, records): (Vec<_>, Vec<_>) = self.waiting.drain(..).unzip();
        self.bytes = 0;
        let positions = self.bus.producer().send_all(&records).await?;
        for (topic, Position { partition, offset }) in topics.into_iter().zip(positions) {
            let next = self.written.entry((topic.to_owned(), partition)).or_default();
            *next = (*next).max(offset + 1);
        }
        Ok(())
    }

    /// The next offset of each partition written to.
    pub(crate) fn written(&self) -> &BTreeMap<Part, i64> {
        &self.written
    }
}
