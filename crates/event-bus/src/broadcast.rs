//! A reader without a group: every process sees every record of every partition.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
    error::KafkaError,
    metadata::{MetadataPartition, MetadataTopic},
};
use tracing::warn;

use crate::{bus::Shared, client::Quiet, error::Error, record::Record};

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// With the oldest record.
    Beginning,
    /// With the first record written from now on.
    End,
}

/// What a reader meets.
pub(crate) enum Event {
    Record(Record),
    /// Everything that stood in the partition when it was asked has been read.
    End {
        partition: i32,
    },
}

/// A reader of all, or of some, partitions of one topic.
pub(crate) struct Broadcast {
    consumer: StreamConsumer<Quiet>,
    topic: Arc<str>,
    watermarks: BTreeMap<i32, (i64, i64)>,
}

const WAIT: Duration = Duration::from_secs(10);

impl Broadcast {
    /// Begins to read; the watermarks are those of this moment.
    pub(crate) async fn open(shared: &Shared, topic: &str, from: From) -> Result<Self, Error> {
        let consumer = consumer(shared, topic)?;
        let name = topic.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let watermarks = patiently(|| watermarks(&consumer, &name))?;
            let mut assignment = TopicPartitionList::new();
            for (partition, (low, high)) in &watermarks {
                let offset = if from == From::Beginning { *low } else { *high };
                assignment.add_partition_offset(&name, *partition, Offset::Offset(offset))?;
            }
            consumer.assign(&assignment)?;
            Ok((consumer, watermarks))
        });
        let (consumer, watermarks) = opened
            .await
            .unwrap_or(Err(KafkaError::Canceled))
            .map_err(|source| Error::broker(format!("read `{topic}`"), source))?;
        if watermarks.is_empty() {
            return Err(Error::NoSuchTopic { topic: topic.to_owned() });
        }
        Ok(Self { consumer, topic: topic.into(), watermarks })
    }

    /// Begins to read one partition at `offset`, or at its beginning.
    pub(crate) async fn open_partition(
        shared: &Shared,
        topic: &str,
        partition: i32,
        offset: Option<i64>,
    ) -> Result<Self, Error> {
        let consumer = consumer(shared, topic)?;
        let name = topic.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let (low, high) = patiently(|| consumer.fetch_watermarks(&name, partition, WAIT))?;
            let mut assignment = TopicPartitionList::new();
            let start = offset.map_or(low, |offset| offset.max(low));
            assignment.add_partition_offset(&name, partition, Offset::Offset(start.min(high)))?;
            consumer.assign(&assignment)?;
            Ok((consumer, BTreeMap::from([(partition, (low, high))])))
        });
        let (consumer, watermarks) = opened
            .await
            .unwrap_or(Err(KafkaError::Canceled))
            .map_err(|source| Error::broker(format!("read `{topic}`"), source))?;
        Ok(Self { consumer, topic: topic.into(), watermarks })
    }

    /// The next offset of every partition that held something to read when reading began.
    pub(crate) fn behind(&self, from: From) -> BTreeMap<i32, i64> {
        let full = self.watermarks.iter().filter(|(_, (low, high))| from == From::Beginning && low < high);
        full.map(|(partition, (_, high))| (*partition, *high)).collect()
    }

    /// First and next offset of each partition when reading began.
    pub(crate) fn watermarks(&self) -> &BTreeMap<i32, (i64, i64)> {
        &self.watermarks
    }

    /// The next record or end of a partition. Lost connections come back by themselves.
    pub(crate) async fn next(&self) -> Result<Event, Error> {
        loop {
            match self.consumer.recv().await {
                Ok(message) => {
                    debug_assert_eq!(message.topic(), &*self.topic);
                    return Ok(Event::Record(Record::of(&message, Arc::clone(&self.topic))));
                }
                Err(KafkaError::PartitionEOF(partition)) => return Ok(Event::End { partition }),
                Err(error) if is_out_of_range(&error) => {
                    return Err(Error::OffsetOutOfRange {
                        group: "(reader)".to_owned(),
                        topic: self.topic.to_string(),
                    });
                }
                Err(source @ KafkaError::MessageConsumptionFatal(_)) => {
                    return Err(Error::broker(format!("read `{}`", self.topic), source));
                }
                Err(error) => warn!(%error, topic = %self.topic, "Reading `{}` is interrupted", self.topic),
            }
        }
    }
}

pub(crate) fn is_out_of_range(error: &KafkaError) -> bool {
    use rdkafka::error::RDKafkaErrorCode::{AutoOffsetReset, OffsetOutOfRange};
    matches!(
        error,
        KafkaError::MessageConsumption(AutoOffsetReset | OffsetOutOfRange)
            | KafkaError::MessageConsumptionFatal(AutoOffsetReset | OffsetOutOfRange)
    )
}

fn consumer(shared: &Shared, topic: &str) -> Result<StreamConsumer<Quiet>, Error> {
    let config = shared.settings.reader(&shared.service);
    config
        .create_with_context(Quiet)
        .map_err(|source| Error::Client { purpose: format!("reader of {topic}"), source })
}

/// Asks again while a partition has no leader: it was made just now, or the broker is still starting.
fn patiently<T>(mut ask: impl FnMut() -> Result<T, KafkaError>) -> Result<T, KafkaError> {
    use rdkafka::error::RDKafkaErrorCode::{LeaderNotAvailable, NotLeaderForPartition};
    let deadline = Instant::now() + WAIT;
    loop {
        match ask() {
            Err(KafkaError::MetadataFetch(LeaderNotAvailable | NotLeaderForPartition))
                if Instant::now() < deadline =>
            {
                std::thread::park_timeout(Duration::from_millis(50));
            }
            answer => return answer,
        }
    }
}

fn watermarks(
    consumer: &StreamConsumer<Quiet>,
    topic: &str,
) -> Result<BTreeMap<i32, (i64, i64)>, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), WAIT)?;
    let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions).map(MetadataPartition::id);
    partitions.map(|id| Ok((id, consumer.fetch_watermarks(topic, id, WAIT)?))).collect()
}
