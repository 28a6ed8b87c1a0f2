//! A reader without a group: every process sees every record of every partition.

use std::{
    collections::BTreeMap,
    future::ready,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt as _, stream::select_all};
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer, stream_consumer::StreamPartitionQueue},
    error::{KafkaError, KafkaResult},
    message::BorrowedMessage,
    metadata::{MetadataPartition, MetadataTopic},
};
use tracing::warn;

use crate::{client::Quiet, error::Error, record::Record, shared::Shared};

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// With the oldest record.
    Beginning,
    /// With the first record written from now on.
    End,
}

/// A partition of a topic.
pub(crate) type Place = (Arc<str>, i32);

/// What a reader meets.
pub(crate) enum Event {
    Record(Record),
    /// Everything that stood in the partition when it was asked has been read.
    End(Place),
}

/// A reader of all, or of some, partitions of some topics, with one client for all of them.
pub(crate) struct Broadcast {
    consumer: Arc<StreamConsumer<Quiet>>,
    parts: Vec<Part>,
}

/// A partition that is read.
struct Part {
    place: Place,
    /// First and next offset when reading began.
    low: i64,
    high: i64,
    /// Its own, because the end of a partition that arrives in the queue of all does not tell its topic.
    queue: StreamPartitionQueue<Quiet>,
}

const WAIT: Duration = Duration::from_secs(10);

impl Broadcast {
    /// Begins to read all partitions of `topics`; the watermarks are those of this moment.
    pub(crate) async fn open(shared: &Shared, topics: &[&str], from: From) -> Result<Self, Error> {
        let names: Vec<Arc<str>> = topics.iter().map(|topic| Arc::from(*topic)).collect();
        let all = topics.join("`, `");
        let found = Self::begin(shared, &all, move |consumer| {
            let mut starts = Vec::new();
            for name in &names {
                let metadata = consumer.fetch_metadata(Some(name), WAIT)?;
                let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
                for partition in partitions.map(MetadataPartition::id) {
                    let (low, high) = patiently(|| consumer.fetch_watermarks(name, partition, WAIT))?;
                    let start = if from == From::Beginning { low } else { high };
                    starts.push(((Arc::clone(name), partition), (low, high), start));
                }
            }
            Ok(starts)
        });
        let found = found.await?;
        let is_there = |topic: &&&str| found.parts.iter().any(|part| &*part.place.0 == **topic);
        match topics.iter().find(|topic| !is_there(topic)) {
            None => Ok(found),
            Some(missing) => Err(Error::NoSuchTopic { topic: (*missing).to_owned() }),
        }
    }

    /// Begins to read one partition at `offset`, or at its beginning.
    pub(crate) async fn open_partition(
        shared: &Shared,
        topic: &str,
        partition: i32,
        offset: Option<i64>,
    ) -> Result<Self, Error> {
        let name: Arc<str> = topic.into();
        Self::begin(shared, topic, move |consumer| {
            let (low, high) = patiently(|| consumer.fetch_watermarks(&name, partition, WAIT))?;
            let start = offset.map_or(low, |offset| offset.max(low)).min(high);
            Ok(vec![((name, partition), (low, high), start)])
        })
        .await
    }

    /// Makes the client, which begins where `starts` says.
    async fn begin(
        shared: &Shared,
        topics: &str,
        starts: impl FnOnce(&StreamConsumer<Quiet>) -> KafkaResult<Vec<(Place, (i64, i64), i64)>> + Send + 'static,
    ) -> Result<Self, Error> {
        let consumer: StreamConsumer<Quiet> = shared
            .settings
            .reader(&shared.service)
            .create_with_context(Quiet)
            .map_err(|source| Error::Client { purpose: format!("reader of `{topics}`"), source })?;
        let opened = tokio::task::spawn_blocking(move || {
            let consumer = Arc::new(consumer);
            let mut assignment = TopicPartitionList::new();
            let mut parts = Vec::new();
            for (place, (low, high), start) in starts(&consumer)? {
                let (topic, partition) = (&*place.0, place.1);
                assignment.add_partition_offset(topic, partition, Offset::Offset(start))?;
                let queue = consumer
                    .split_partition_queue(topic, partition)
                    .ok_or_else(|| KafkaError::Subscription(format!("no queue for {topic}/{partition}")))?;
                parts.push(Part { place, low, high, queue });
            }
            consumer.assign(&assignment)?;
            Ok(Self { consumer, parts })
        });
        let opened = opened.await.unwrap_or(Err(KafkaError::Canceled));
        opened.map_err(|source| Error::broker(format!("read `{topics}`"), source))
    }

    /// The next offset of every partition that held something to read when reading began.
    pub(crate) fn behind(&self, from: From) -> BTreeMap<Place, i64> {
        let full = self.parts.iter().filter(|part| from == From::Beginning && part.low < part.high);
        full.map(|part| (part.place.clone(), part.high)).collect()
    }

    /// The first offset of each partition of `topic` when reading began.
    pub(crate) fn firsts(&self, topic: &str) -> BTreeMap<i32, i64> {
        let parts = self.parts.iter().filter(|part| &*part.place.0 == topic);
        parts.map(|part| (part.place.1, part.low)).collect()
    }

    /// Records and ends of partitions, without an end. Lost connections come back by themselves.
    pub(crate) fn events(&self) -> impl Stream<Item = Result<Event, Error>> + Send + Unpin {
        let parts = self.parts.iter().map(|part| {
            part.queue.stream().filter_map(move |received| ready(met(received, Some(&part.place)))).boxed()
        });
        // What concerns no partition arrives here; the client also wants to be asked.
        let rest = self.consumer.stream().filter_map(|received| ready(met(received, None))).boxed();
        select_all(parts.chain([rest]))
    }
}

/// What was received from a partition, if it is anything to a reader.
fn met(received: KafkaResult<BorrowedMessage<'_>>, place: Option<&Place>) -> Option<Result<Event, Error>> {
    let topic = place.map(|(topic, _)| &**topic).unwrap_or_default();
    match received {
        Ok(message) => {
            let topic = place.map_or_else(|| message.topic().into(), |(topic, _)| Arc::clone(topic));
            Some(Ok(Event::Record(Record::of(&message, topic))))
        }
        Err(KafkaError::PartitionEOF(_)) => place.cloned().map(|place| Ok(Event::End(place))),
        Err(error) if is_out_of_range(&error) => {
            Some(Err(Error::OffsetOutOfRange { group: "(reader)".to_owned(), topic: topic.to_owned() }))
        }
        Err(source @ KafkaError::MessageConsumptionFatal(_)) => {
            Some(Err(Error::broker(format!("read `{topic}`"), source)))
        }
        Err(error) => {
            warn!(%error, topic, "Reading is interrupted");
            None
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
