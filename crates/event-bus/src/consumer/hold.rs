//! Whether a partition is still ours.

use tokio_util::sync::{CancellationToken, DropGuard};

/// Tells whether this process still holds a partition; clones tell the same.
///
/// The broker decides: a process that was stopped for longer than its session learns of the loss only when it wakes.
/// What must not happen twice goes through [`Bus::transactional`](crate::Bus::transactional), which fences.
#[derive(Clone, Debug)]
pub struct Hold {
    lost: CancellationToken,
}

impl Hold {
    /// A hold that lasts until the guard is dropped.
    #[must_use]
    pub fn new() -> (Self, DropGuard) {
        let lost = CancellationToken::new();
        let guard = lost.clone().drop_guard();
        (Self { lost }, guard)
    }

    /// A hold that is never lost, of a reader without a group.
    #[must_use]
    pub fn forever() -> Self {
        Self { lost: CancellationToken::new() }
    }

    /// Whether the partition is still held.
    #[must_use]
    pub fn is_held(&self) -> bool {
        !self.lost.is_cancelled()
    }

    /// Waits until it is lost.
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }
}
