#![doc = include_str!("../README.md")]

mod backoff;
mod chain;
mod clock;
mod http_client;
mod lifecycle;
mod metrics;
mod random;
mod readiness;
pub mod settings;
pub mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod trace_context;

pub use self::{
    backoff::Backoff,
    chain::chain,
    clock::{Clock, SystemClock},
    http_client::{HttpSettings, http_client},
    lifecycle::{Lifecycle, Outcome, Spawner, Stopper, Stopping},
    metrics::Metrics,
    random::{Random, SystemRandom},
    readiness::{Gate, Readiness},
    settings::{Addresses, Reader, SettingsError, Source},
};
