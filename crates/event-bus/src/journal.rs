//! Plain bytes on a compacted topic of one partition, for what is no event: the subjects of a schema registry.

use std::time::Duration;

use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    consumer::{Consumer as _, StreamConsumer},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{FutureProducer, FutureRecord},
    util::Timeout,
};
use tokio::time::Instant;
use tracing::warn;

use crate::{client::Quiet, error::Error, settings::Settings};

/// How long the broker may take to answer.
const WAIT: Duration = Duration::from_secs(10);
/// The one partition.
const PARTITION: i32 = 0;

/// A journal on a topic.
pub struct Journal {
    topic: String,
    settings: Settings,
    client: String,
    producer: FutureProducer<Quiet>,
}

impl Journal {
    /// The journal on `topic`, which is made if it is missing.
    pub async fn open(settings: Settings, client: &str, topic: &str) -> Result<Self, Error> {
        let made = |source| Error::Client { purpose: format!("journal {topic}"), source };
        let admin: AdminClient<Quiet> = settings.client(client).create_with_context(Quiet).map_err(made)?;
        let replication = TopicReplication::Fixed(i32::from(settings.replication_factor));
        let wanted = NewTopic::new(topic, 1, replication).set("cleanup.policy", "compact");
        let options = AdminOptions::new().operation_timeout(Some(WAIT)).request_timeout(Some(WAIT));
        let failed = |source| Error::broker(format!("make `{topic}`"), source);
        for outcome in admin.create_topics([&wanted], &options).await.map_err(failed)? {
            match outcome {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => return Err(failed(KafkaError::AdminOp(code))),
            }
        }
        let producer = settings.producer(client).create_with_context(Quiet).map_err(made)?;
        Ok(Self { topic: topic.to_owned(), settings, client: client.to_owned(), producer })
    }

    /// Everything that was kept up to now, oldest first.
    pub async fn read(&self) -> Result<Vec<(Vec<u8>, Option<Vec<u8>>)>, Error> {
        let failed = |source| Error::broker(format!("read `{}`", self.topic), source);
        let consumer: StreamConsumer<Quiet> =
            self.settings
                .reader(&self.client)
                .create_with_context(Quiet)
                .map_err(|source| Error::Client { purpose: format!("journal {}", self.topic), source })?;
        let mut from = TopicPartitionList::new();
        from.add_partition_offset(&self.topic, PARTITION, Offset::Beginning).map_err(failed)?;
        consumer.assign(&from).map_err(failed)?;
        let mut kept = Vec::new();
        let mut until = Instant::now() + WAIT;
        loop {
            match tokio::time::timeout_at(until, consumer.recv()).await {
                Ok(Ok(message)) => {
                    kept.push((
                        message.key().unwrap_or_default().to_vec(),
                        message.payload().map(<[u8]>::to_vec),
                    ));
                    until = Instant::now() + WAIT;
                }
                Ok(Err(KafkaError::PartitionEOF(_))) => return Ok(kept),
                Ok(Err(source @ KafkaError::MessageConsumptionFatal(_))) => return Err(failed(source)),
                // Lost connections come back by themselves, or time runs out.
                Ok(Err(error)) => {
                    warn!(%error, topic = self.topic, "Reading `{}` is interrupted", self.topic);
                }
                Err(_) => {
                    return Err(failed(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut)));
                }
            }
        }
    }

    /// Keeps one more; done when the broker has it.
    pub async fn append(&self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        let record = FutureRecord::to(&self.topic).partition(PARTITION).key(key).payload(value);
        match self.producer.send(record, Timeout::Never).await {
            Ok(_) => Ok(()),
            Err((source, _)) => Err(Error::broker(format!("write to `{}`", self.topic), source)),
        }
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("topic", &self.topic).finish_non_exhaustive()
    }
}
