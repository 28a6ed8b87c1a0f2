//! How patient a saga is.

use std::time::Duration;

use runtime::Backoff;

/// Waiting, parking and remembering.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Waits between the attempts of a step.
    pub backoff: Backoff,
    /// After this many failed attempts of a step its order needs attention.
    pub attention_after: u32,
    /// How long finished ids are remembered; longer than orders are kept.
    pub remember: Duration,
    /// How often drift is looked for.
    pub reconcile_every: Duration,
    /// Keys of one partition that are worked on at a time.
    pub at_once: usize,
    /// A holder that was fenced and still holds the partition after this time takes it up again.
    pub retake_after: Duration,
    /// Bytes of orders that a partition keeps in memory; others are read again when their turn comes.
    pub bodies: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            backoff: Backoff { max: Duration::from_secs(15), ..Backoff::default() },
            attention_after: 5,
            remember: Duration::from_hours(16 * 24),
            reconcile_every: Duration::from_mins(1),
            at_once: 64,
            retake_after: Duration::from_secs(20),
            bodies: 16 * 1024 * 1024,
        }
    }
}
