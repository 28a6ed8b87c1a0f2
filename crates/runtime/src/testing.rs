//! Time and chance that a test moves by hand.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64, atomic::Ordering},
    time::Duration,
};

use jiff::Timestamp;

use crate::{Clock, Random};

/// A clock that stands still until it is told; clones show the same time.
#[derive(Clone, Debug)]
pub struct FixedClock(Arc<Mutex<Timestamp>>);

impl FixedClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// A clock that shows the RFC 3339 text `now`.
    ///
    /// # Panics
    /// If `now` is not a timestamp.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a helper of tests")]
    pub fn parse(now: &str) -> Self {
        Self::at(now.parse().unwrap())
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    /// Sets the clock.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Default for FixedClock {
    /// Noon of 1 March 2026, UTC.
    fn default() -> Self {
        Self::at(Timestamp::constant(1_772_366_400, 0))
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bits that count up from a given number.
#[derive(Debug)]
pub struct FixedRandom(AtomicU64);

impl FixedRandom {
    /// Draws `first`, then the numbers after it.
    #[must_use]
    pub fn new(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }
}

impl Random for FixedRandom {
    fn bits(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_moves_only_when_told() {
        let clock = FixedClock::default();
        let shared = clock.clone();
        assert_eq!(clock.now().to_string(), "2026-03-01T12:00:00Z");
        shared.advance(Duration::from_millis(1500));
        assert_eq!(clock.now().to_string(), "2026-03-01T12:00:01.5Z");
    }
}
