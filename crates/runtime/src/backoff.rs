//! How long to wait before the next attempt.

use std::time::Duration;

use crate::Random;

/// Exponential waiting with an upper bound and jitter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// The wait after the first failed attempt.
    pub initial: Duration,
    /// No wait is longer.
    pub max: Duration,
    /// How much longer each wait is than the one before.
    pub factor: f64,
    /// The share of a wait that chance may take away, from 0 (none) to 1 (all of it).
    pub jitter: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { initial: Duration::from_millis(100), max: Duration::from_secs(30), factor: 2.0, jitter: 0.2 }
    }
}

impl Backoff {
    /// The wait after failed attempt number `attempt`, counted from 1.
    #[must_use]
    pub fn delay(&self, attempt: u32, random: &dyn Random) -> Duration {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = self.initial.as_secs_f64() * self.factor.max(1.0).powi(exponent);
        let bounded = grown.min(self.max.as_secs_f64());
        let kept = 1.0 - self.jitter.clamp(0.0, 1.0) * random.unit();
        Duration::try_from_secs_f64(bounded * kept).unwrap_or(self.max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::FixedRandom;

    #[test]
    fn waits_double_until_the_bound() {
        let backoff = Backoff { max: Duration::from_secs(1), ..Backoff::default() };
        let waits: Vec<u128> =
            (1..=6).map(|attempt| backoff.delay(attempt, &FixedRandom::new(0)).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000]);
    }

    #[test]
    fn jitter_only_shortens() {
        let backoff = Backoff { jitter: 0.5, ..Backoff::default() };
        let wait = backoff.delay(1, &FixedRandom::new(1 << 63));
        assert_eq!(wait, Duration::from_millis(75));
    }

    proptest! {
        #[test]
        fn no_wait_exceeds_the_bound(attempt: u32, bits: u64, factor in 0.0..1e9_f64, jitter in -2.0..2.0_f64) {
            let backoff = Backoff { factor, jitter, ..Backoff::default() };
            prop_assert!(backoff.delay(attempt, &FixedRandom::new(bits)) <= backoff.max);
        }
    }
}
