//! What can go wrong between a service and the broker.

use domain::{Classify, Disposition};
use rdkafka::error::KafkaError;

use crate::registry::RegistryError;

/// An attempt that the broker, the registry or the record itself did not allow.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client could not be made: a setting that librdkafka refuses.
    #[error("could not make a Kafka client for `{purpose}`")]
    Client {
        /// What it was for.
        purpose: String,
        /// What librdkafka said.
        #[source]
        source: KafkaError,
    },
    /// The broker did not answer or did not accept.
    #[error("could not {attempt}")]
    Broker {
        /// What was tried.
        attempt: String,
        /// What librdkafka said.
        #[source]
        source: KafkaError,
    },
    /// The record is larger than its topic allows.
    #[error("a record of {size} bytes is larger than `{topic}` allows")]
    TooLarge {
        /// The topic.
        topic: String,
        /// Bytes of the value.
        size: usize,
    },
    /// The record could not be encoded.
    #[error("could not encode a record for `{topic}`")]
    Encode {
        /// The topic.
        topic: &'static str,
        /// What the codec said.
        #[source]
        source: events::wire::WireError,
    },
    /// The schema registry did not answer or did not accept.
    #[error("could not learn the schema of `{topic}`")]
    Schema {
        /// The topic.
        topic: String,
        /// What the registry said.
        #[source]
        source: RegistryError,
    },
    /// Another holder took over the partition; nothing of ours is written any more.
    #[error("fenced: `{holder}` belongs to another process now")]
    Fenced {
        /// The transactional id.
        holder: String,
    },
    /// The group's offset lies outside what the topic holds: records are gone, or the broker is another one.
    #[error(
        "group `{group}` stands outside what `{topic}` holds; records are gone or the broker is another one"
    )]
    OffsetOutOfRange {
        /// The consumer group.
        group: String,
        /// The topic.
        topic: String,
    },
    /// The broker threw the member out for good: another process uses its instance id.
    #[error("the broker refuses this member of group `{group}` for good")]
    MemberRefused {
        /// The consumer group.
        group: String,
        /// What librdkafka said.
        #[source]
        source: KafkaError,
    },
    /// The topic does not exist.
    #[error("topic `{topic}` does not exist")]
    NoSuchTopic {
        /// The topic.
        topic: String,
    },
    /// Nothing stands at that place.
    #[error("no record at {topic}/{partition}@{offset}")]
    NoSuchRecord {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset.
        offset: i64,
    },
    /// A record of ours that could not be read back.
    #[error("could not read {topic}/{partition}@{offset}")]
    Unreadable {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset.
        offset: i64,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The work was given up because the process stops or the partition moved.
    #[error("given up: the process stops or the partition moved")]
    GivenUp,
}

impl Error {
    pub(crate) fn broker(attempt: impl Into<String>, source: KafkaError) -> Self {
        Self::Broker { attempt: attempt.into(), source }
    }
}

impl Classify for Error {
    fn disposition(&self) -> Disposition {
        match self {
            Self::TooLarge { .. }
            | Self::Encode { .. }
            | Self::NoSuchRecord { .. }
            | Self::Unreadable { .. }
            | Self::Client { .. } => Disposition::Reject,
            Self::Schema { source, .. } => source.disposition(),
            Self::Broker { .. }
            | Self::Fenced { .. }
            | Self::OffsetOutOfRange { .. }
            | Self::MemberRefused { .. }
            | Self::NoSuchTopic { .. }
            | Self::GivenUp => Disposition::Retry,
        }
    }
}
