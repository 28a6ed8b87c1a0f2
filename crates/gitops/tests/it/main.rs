//! The crate on real Git repositories in a temporary folder.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which may panic as tests do")]

mod daemon;
mod histories;
mod initial;
mod snapshot;
mod support;
mod writing;
