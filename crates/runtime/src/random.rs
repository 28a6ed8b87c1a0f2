//! Chance as an argument.

use std::{
    fmt::Debug,
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use jiff::Timestamp;
use uuid::{Builder, Uuid};

/// Draws random bits for jitter and ids, never for secrets; passed as `Arc<dyn Random>`, so that tests own it.
pub trait Random: Debug + Send + Sync + 'static {
    /// 64 random bits.
    fn bits(&self) -> u64;

    /// A number of the half-open interval from 0 to 1.
    fn unit(&self) -> f64 {
        let upper = u32::try_from(self.bits() >> 32).unwrap_or(u32::MAX);
        f64::from(upper) / (f64::from(u32::MAX) + 1.0)
    }

    /// A new id (`UUIDv7`) that sorts by `now`.
    fn id(&self, now: Timestamp) -> Uuid {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.bits().to_be_bytes());
        bytes[8..].copy_from_slice(&self.bits().to_be_bytes()[..2]);
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}

/// Random bits from a keyed hash of a counter; the key comes from the operating system.
#[derive(Debug, Default)]
pub struct SystemRandom {
    key: RandomState,
    drawn: AtomicU64,
}

impl Random for SystemRandom {
    fn bits(&self) -> u64 {
        self.key.hash_one(self.drawn.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FixedRandom;

    #[test]
    fn a_unit_lies_between_zero_and_one() {
        assert!((0.0..1.0).contains(&SystemRandom::default().unit()));
        assert!(FixedRandom::new(0).unit().abs() < f64::EPSILON);
        assert!(FixedRandom::new(u64::MAX).unit() < 1.0);
    }

    #[test]
    fn an_id_carries_the_time_and_the_drawn_bits() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let id = FixedRandom::new(0xabcd).id(now);
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.to_string(), "019ca945-0a00-7000-8000-0000abcd0000");
        assert!(id < FixedRandom::new(0).id("2026-03-01T12:00:01Z".parse().unwrap()));
    }

    #[test]
    fn two_draws_differ() {
        let random = SystemRandom::default();
        assert_ne!(random.bits(), random.bits());
    }
}
