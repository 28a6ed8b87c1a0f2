//! Records that a reader without a group leaves out.
//!
//! Such a reader runs in every process and begins anew at every start: dead letters from each of them, again and
//! again, would say nothing that the topic does not say itself. So the record stays where it is, is counted, and is
//! named in the log as long as that helps.

use std::{
    error::Error as StdError,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing::warn;

use crate::{bus::Shared, dead_letter::Reason, metrics::LeftOutLabels, record::Record};

/// What one reader of one topic left out.
pub(crate) struct LeftOut {
    shared: Arc<Shared>,
    reader: &'static str,
    count: AtomicU64,
}

impl LeftOut {
    pub(crate) fn by(reader: &'static str, shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), reader, count: AtomicU64::new(0) }
    }

    /// Counts one more.
    pub(crate) fn note(
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
