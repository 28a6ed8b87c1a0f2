//! Whether a failed attempt is worth repeating: a property of the error, decided where the error is defined.

use std::{error::Error, fmt};

/// Whether another attempt could end differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The cause lies outside the input and may pass: a peer that is down, a limit, a conflict.
    Retry,
    /// The same input will always fail.
    Reject,
}

/// Implemented by every error that a handler may meet, next to its definition.
pub trait Classify: Error + Send + Sync + 'static {
    /// Whether another attempt could end differently.
    fn disposition(&self) -> Disposition;
}

/// A failed attempt with its disposition, whatever the error was; made by `?`.
#[derive(Debug)]
pub struct Failure {
    /// Whether to try again.
    pub disposition: Disposition,
    /// What went wrong.
    pub source: Box<dyn Error + Send + Sync>,
}

// `Failure` is not itself an `Error`, so this does not overlap with the reflexive `From`.
impl<E: Classify> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { disposition: error.disposition(), source: Box::new(error) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}
