//! What callers of a service see.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod access;
mod app;
mod limits;
mod probes;
mod shutdown;
mod tokens;
