//! What the worker counts beside its saga.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
};

pub(crate) const ACKNOWLEDGED: &str = "worker_acknowledge_seconds";
pub(crate) const PROBES: &str = "worker_probes";
pub(crate) const REPAIRED: &str = "worker_routes_repaired";

/// Upper bounds in seconds.
const BUCKETS: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Probed {
    /// `verified` or `not-verified`.
    pub(crate) result: &'static str,
}

/// The counters of the worker.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) acknowledged: Histogram,
    pub(crate) probes: Family<Probed, Counter>,
    pub(crate) repaired: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            acknowledged: Histogram::new(BUCKETS),
            probes: Family::default(),
            repaired: Counter::default(),
        }
    }
}

impl Metrics {
    pub(crate) fn register(registry: &runtime::Metrics) -> Self {
        let metrics = Self::default();
        registry.register(|registry| {
            let help = "Time until every present replica had acknowledged a route";
            registry.register(ACKNOWLEDGED, help, metrics.acknowledged.clone());
            registry.register(PROBES, "Probes of gateways", metrics.probes.clone());
            let help = "Routes that differed from the newest accepted order and were written again";
            registry.register(REPAIRED, help, metrics.repaired.clone());
        });
        metrics
    }
}
