//! What the bus counts.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};
use runtime::Metrics as Registry;

pub(crate) const HANDLED: &str = "bus_records_handled";
pub(crate) const RETRIES: &str = "bus_record_retries";
pub(crate) const DEAD_LETTERS: &str = "bus_dead_letters";
pub(crate) const LEFT_OUT: &str = "bus_records_left_out";
pub(crate) const PRODUCED: &str = "bus_records_produced";
pub(crate) const LAG: &str = "bus_consumer_lag_records";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct TopicGroup {
    pub(crate) topic: String,
    pub(crate) group: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct TopicOnly {
    pub(crate) topic: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct LeftOutLabels {
    pub(crate) topic: String,
    pub(crate) reader: String,
    pub(crate) reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Lane {
    pub(crate) topic: String,
    pub(crate) group: String,
    pub(crate) partition: i32,
}

/// The counters of one bus.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) handled: Family<TopicGroup, Counter>,
    pub(crate) retries: Family<TopicGroup, Counter>,
    pub(crate) dead_letters: Family<TopicGroup, Counter>,
    pub(crate) left_out: Family<LeftOutLabels, Counter>,
    pub(crate) produced: Family<TopicOnly, Counter>,
    pub(crate) lag: Family<Lane, Gauge>,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> Self {
        let metrics = Self::default();
        registry.register(|registry| {
            registry.register(HANDLED, "Records that a consumer finished", metrics.handled.clone());
            registry.register(
                RETRIES,
                "Attempts at records that failed and were repeated",
                metrics.retries.clone(),
            );
            registry.register(
                DEAD_LETTERS,
                "Records moved to a dead-letter topic",
                metrics.dead_letters.clone(),
            );
            registry.register(
                LEFT_OUT,
                "Records that a reader without a group could not take in",
                metrics.left_out.clone(),
            );
            registry.register(PRODUCED, "Records written and acknowledged", metrics.produced.clone());
            registry.register(LAG, "Records that a group has not finished yet", metrics.lag.clone());
        });
        metrics
    }
}
