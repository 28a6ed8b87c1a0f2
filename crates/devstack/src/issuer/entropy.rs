//! Chance for what must not be guessed.

use std::{fmt::Debug, io};

/// Draws bytes that nobody can guess, for codes and tokens; tests give their own.
pub trait Entropy: Debug + Send + Sync + 'static {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()>;
}

/// The system's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| io::Error::other("the system gives no random numbers"))
    }
}

#[cfg(test)]
pub(super) mod testing {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// The same bytes at every run, in no pattern that matters.
    #[derive(Debug, Default)]
    pub(in crate::issuer) struct Counting(AtomicU64);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
            for byte in bytes {
                let drawn = self.0.fetch_add(1, Ordering::Relaxed);
                // Fibonacci hashing: the upper bits of a multiple of the golden ratio.
                [*byte, ..] = drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
            }
            Ok(())
        }
    }
}
