//! What librdkafka tells a group member.

use rdkafka::{
    ClientContext, Statistics, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc::UnboundedSender;
use tracing::{debug, warn};

use crate::{
    client,
    metrics::{Lane, Metrics},
};

/// Which partitions come or go.
#[derive(Debug)]
pub(super) enum Rebalance {
    Assigned(Vec<(String, i32)>),
    Revoked,
}

/// Hands rebalances to the member's loop, which answers them after the records in hand are finished.
pub(super) struct MemberContext {
    pub(super) rebalances: UnboundedSender<Rebalance>,
    pub(super) closing: AtomicBool,
    pub(super) metrics: Metrics,
    pub(super) group: String,
}

impl ClientContext for MemberContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        for (topic, found) in statistics.topics {
            for (partition, found) in found.partitions {
                if partition < 0 || found.fetch_state != "active" {
                    continue;
                }
                let lane = Lane { topic: topic.clone(), group: self.group.clone(), partition };
                self.metrics.lag.get_or_create(&lane).set(found.consumer_lag_stored.max(0));
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        warn!(error = %error, "Kafka: {reason}");
    }
}

impl ConsumerContext for MemberContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let event = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Rebalance::Assigned(
                list.elements().iter().map(|e| (e.topic().to_owned(), e.partition())).collect(),
            ),
            _ => Rebalance::Revoked,
        };
        let deferred = !self.closing.load(Ordering::Acquire) && self.rebalances.send(event).is_ok();
        if !deferred {
            // The member is closing: nobody is left to answer, and nothing is in hand.
            if let Err(error) = consumer.unassign() {
                debug!(%error, "Could not give the partitions back");
            }
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            // The next commit carries the same offsets or later ones.
            debug!(%error, group = %self.group, "A commit failed");
        }
    }
}
