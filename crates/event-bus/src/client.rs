//! librdkafka's callbacks, turned into log lines and gauges.

use rdkafka::{
    ClientContext, Statistics,
    config::RDKafkaLogLevel,
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode},
};
use tracing::{debug, info, warn};

/// The context of producers and of readers without a group.
#[derive(Clone, Debug)]
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn stats(&self, _: Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        // The end of a partition is an answer, which readers also get where they wait for it.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::PartitionEOF) {
            warn!(error = %error, "Kafka: {reason}");
        }
    }
}

impl ConsumerContext for Quiet {}

/// librdkafka reports every lost connection as an error and reconnects on its own, so its errors are warnings.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Warning => warn!(facility, "Kafka: {message}"),
        RDKafkaLogLevel::Notice => info!(facility, "Kafka: {message}"),
        RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => debug!(facility, "Kafka: {message}"),
    }
}
