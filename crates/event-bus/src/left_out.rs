//! Records that a reader without a group leaves out.
//!
//! Such a reader runs in every process and begins anew at every start, so it meets the same records again and again:
//! each time they are counted, they are named in the log as long as that helps, and a reader of the service's own
//! keeps each of them once, as a dead letter of the service.

use std::{
    error::Error as StdError,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use events::Topic;
use tracing::warn;

use crate::{
    Bus,
    dead_letter::{Once, Reason},
    metrics::LeftOutLabels,
    record::Record,
    shared::Shared,
};

/// What one reader of one topic left out.
pub(crate) struct LeftOut {
    shared: Arc<Shared>,
    reader: &'static str,
    count: AtomicU64,
    once: Option<Once>,
}

impl LeftOut {
    /// Of a reader that somebody asked for in passing.
    pub(crate) fn counted(reader: &'static str, shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), reader, count: AtomicU64::new(0), once: None }
    }

    /// Of a reader by which the service lives: what it leaves out is a dead letter too.
    pub(crate) fn kept(reader: &'static str, bus: &Bus, topic: &'static Topic) -> Self {
        Self { once: Some(Once::new(bus, topic)), ..Self::counted(reader, &bus.shared) }
    }

    /// Leaves out one more; with dead letters, returns only when it is one.
    pub(crate) async fn note(
        &self,
        record: &Record,
        reason: Reason,
        error: &(dyn StdError + Send + Sync + 'static),
    ) {
        let labels = LeftOutLabels {
            topic: record.topic.to_string(),
            reader: self.reader.to_owned(),
            reason: reason.as_str().to_owned(),
        };
        self.shared.metrics.left_out.get_or_create(&labels).inc();
        let so_far = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        if is_worth_a_line(so_far) {
            warn!(
                reason = reason.as_str(),
                error = %runtime::chain(error),
                so_far,
                "Leaving out {}/{}@{}", record.topic, record.partition, record.offset
            );
        }
        if let Some(once) = &self.once {
            once.keep(record, reason, error).await;
        }
    }
}

/// The first few, and then ever fewer: a flood of forged records must not become one of log lines.
fn is_worth_a_line(so_far: u64) -> bool {
    so_far <= 10 || so_far.checked_ilog10().is_some_and(|digits| so_far == 10_u64.pow(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_records_is_no_flood_of_lines() {
        let lines: Vec<u64> = (1..=100_000).filter(|so_far| is_worth_a_line(*so_far)).collect();
        assert_eq!(lines[..10], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(lines[10..], [100, 1000, 10_000, 100_000]);
    }
}
