//! What a saga counts.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};

pub(crate) const DECIDED: &str = "saga_orders_decided";
pub(crate) const ATTEMPTS_FAILED: &str = "saga_attempts_failed";
pub(crate) const OPEN: &str = "saga_orders_open";
pub(crate) const ATTENTION: &str = "saga_orders_needing_attention";
pub(crate) const FENCED: &str = "saga_holders_fenced";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Ended {
    pub(crate) saga: String,
    pub(crate) outcome: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Failed {
    pub(crate) saga: String,
    pub(crate) step: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Partition {
    pub(crate) saga: String,
    pub(crate) partition: i32,
}

/// The counters of one saga.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) decided: Family<Ended, Counter>,
    pub(crate) attempts_failed: Family<Failed, Counter>,
    pub(crate) open: Family<Partition, Gauge>,
    pub(crate) attention: Family<Partition, Gauge>,
    pub(crate) fenced: Family<Partition, Counter>,
}

impl Metrics {
    pub(crate) fn register(registry: &runtime::Metrics) -> Self {
        let metrics = Self::default();
        registry.register(|registry| {
            registry.register(DECIDED, "Orders that ended", metrics.decided.clone());
            let failed = metrics.attempts_failed.clone();
            registry.register(ATTEMPTS_FAILED, "Attempts at steps that failed", failed);
            registry.register(OPEN, "Orders that have not ended", metrics.open.clone());
            registry.register(ATTENTION, "Orders that keep failing", metrics.attention.clone());
            registry.register(FENCED, "Times that another holder took over", metrics.fenced.clone());
        });
        metrics
    }
}
