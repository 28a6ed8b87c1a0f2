//! What a process does while it starts, runs and stops.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod http_client;
mod lifecycle;
mod server;
mod settings;
mod telemetry;
