//! Records that could not be taken in, kept with the reason until somebody replays them.

mod once;

use std::error::Error as StdError;

use domain::{Classify as _, Disposition};
use futures_util::TryStreamExt as _;
use tracing::warn;

pub(crate) use self::once::Once;

use crate::{
    Bus,
    broadcast::{Broadcast, Event, From},
    error::Error,
    metrics::TopicGroup,
    producer::{Outgoing, Position, Producer},
    record::Record,
    shared::Shared,
    topics,
};

const PREFIX: &str = "stoa-dlq-";
const REASON: &str = "stoa-dlq-reason";
const ERROR: &str = "stoa-dlq-error";
const TOPIC: &str = "stoa-dlq-topic";
const PARTITION: &str = "stoa-dlq-partition";
const OFFSET: &str = "stoa-dlq-offset";
const TIMESTAMP: &str = "stoa-dlq-timestamp";
const GROUP: &str = "stoa-dlq-group";
const TIME: &str = "stoa-dlq-time";
const REPLAYED_FROM: &str = "stoa-replayed-from";
/// Where a replayed record first stood in the topic of its type.
pub(crate) const SOURCE_OFFSET: &str = "stoa-source-offset";

/// An error chain is cut here, well inside what a dead letter may add to its record.
const LONGEST_CHAIN: usize = 16 * 1024;

/// Why a record is a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its bytes are not a record of the topic.
    Undecodable,
    /// The registry does not know the schema that wrote it.
    UnknownSchema,
    /// The handler can never take it in.
    Rejected,
}

impl Reason {
    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::UnknownSchema => "unknown-schema",
            Self::Rejected => "rejected",
        }
    }
}

/// Writes dead letters of one group.
#[derive(Clone)]
pub(crate) struct Morgue {
    producer: Producer,
    shared: std::sync::Arc<Shared>,
    topic: &'static events::Topic,
    group: String,
}

impl Morgue {
    pub(crate) fn new(bus: &Bus, topic: &'static events::Topic, group: &str) -> Self {
        Self {
            producer: bus.producer(),
            shared: std::sync::Arc::clone(&bus.shared),
            topic,
            group: group.to_owned(),
        }
    }

    /// Keeps `record` with its reason; returns only when that is done, however long it takes.
    pub(crate) async fn keep(
        &self,
        record: &Record,
        reason: Reason,
        error: &(dyn StdError + Send + Sync + 'static),
    ) -> Position {
        let letter = self.letter(record, reason, error);
        let mut attempt = 0;
        loop {
            let failure = match self.producer.send(&letter).await {
                Ok(position) => {
                    let labels = TopicGroup { topic: self.topic.name.to_owned(), group: self.group.clone() };
                    self.shared.metrics.dead_letters.get_or_create(&labels).inc();
                    warn!(
                        reason = reason.as_str(),
                        error = %runtime::chain(error),
                        "Moved {}/{}@{} to `{}`", record.topic, record.partition, record.offset, letter.topic
                    );
                    return position;
                }
                Err(Error::NoSuchTopic { .. }) => {
                    topics::companions(&self.shared, self.topic, &self.group).await.err()
                }
                Err(error) => Some(error),
            };
            if let Some(failure) = failure {
                attempt += 1;
                warn!(
                    error = %runtime::chain(&failure),
                    retry = failure.disposition() == Disposition::Retry,
                    "Could not write to `{}` yet", letter.topic
                );
                tokio::time::sleep(self.shared.backoff.delay(attempt, &*self.shared.random)).await;
            }
        }
    }

    fn letter(
        &self,
        record: &Record,
        reason: Reason,
        error: &(dyn StdError + Send + Sync + 'static),
    ) -> Outgoing {
        let mut chain = runtime::chain(error);
        if chain.len() > LONGEST_CHAIN {
            let end = (0..=LONGEST_CHAIN).rev().find(|at| chain.is_char_boundary(*at)).unwrap_or_default();
            chain.truncate(end);
        }
        let mut headers = record.headers.clone();
        headers.retain(|(name, _)| !name.starts_with(PREFIX));
        let ours = [
            (REASON, reason.as_str().to_owned()),
            (ERROR, chain),
            (TOPIC, record.topic.to_string()),
            (PARTITION, record.partition.to_string()),
            (OFFSET, record.offset.to_string()),
            (TIMESTAMP, record.timestamp_ms.to_string()),
            (GROUP, self.group.clone()),
            (TIME, self.shared.clock.now().to_string()),
        ];
        headers.extend(ours.map(|(name, value)| (name.to_owned(), value.into_bytes())));
        Outgoing {
            topic: topics::dead_letter_topic(self.topic.name, &self.group),
            partition: Some(0),
            key: record.key.clone().unwrap_or_default(),
            value: record.value.clone(),
            headers,
        }
    }
}

/// A record that could not be taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its offset in the dead-letter topic, by which it is named.
    pub offset: i64,
    /// The stable word of its reason.
    pub reason: String,
    /// The error with its causes.
    pub error: String,
    /// The topic that it came from.
    pub topic: String,
    /// The partition that it came from.
    pub partition: i32,
    /// The offset that it came from.
    pub source_offset: i64,
    /// When it was moved, in RFC 3339.
    pub time: String,
    /// The key.
    pub key: String,
    /// The original bytes.
    pub value: Vec<u8>,
    /// The original headers.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// The dead letters of one group from one topic.
#[derive(Clone)]
pub struct DeadLetters {
    bus: Bus,
    topic: String,
    group: String,
}

impl DeadLetters {
    pub(crate) fn new(bus: Bus, topic: &str, group: &str) -> Self {
        Self { bus, topic: topic.to_owned(), group: group.to_owned() }
    }

    /// Name of the dead-letter topic.
    #[must_use]
    pub fn topic(&self) -> String {
        topics::dead_letter_topic(&self.topic, &self.group)
    }

    /// All that are kept, oldest first; none when the topic does not exist.
    pub async fn list(&self) -> Result<Vec<DeadLetter>, Error> {
        list(&self.bus.shared, &self.topic()).await
    }

    /// The one at `offset`.
    pub async fn show(&self, offset: i64) -> Result<DeadLetter, Error> {
        let found = self.list().await?.into_iter().find(|letter| letter.offset == offset);
        found.ok_or_else(|| Error::NoSuchRecord { topic: self.topic(), partition: 0, offset })
    }

    /// Writes the one at `offset` to the group's retry topic, which only this group reads.
    pub async fn replay(&self, offset: i64) -> Result<Position, Error> {
        let letter = self.show(offset).await?;
        let mut headers = letter.headers;
        // A replay that fails again is a dead letter of the retry topic; the first place stays what it was.
        let known = headers.iter().any(|(name, _)| name == SOURCE_OFFSET);
        headers.retain(|(name, _)| name != REPLAYED_FROM);
        if !known {
            headers.push((SOURCE_OFFSET.to_owned(), letter.source_offset.to_string().into_bytes()));
        }
        let from = format!("{}/0@{}", self.topic(), letter.offset);
        headers.push((REPLAYED_FROM.to_owned(), from.into_bytes()));
        let outgoing = Outgoing {
            topic: topics::retry_topic(&self.topic, &self.group),
            partition: Some(letter.partition),
            key: letter.key.into_bytes(),
            value: Some(letter.value),
            headers,
        };
        self.bus.producer().send(&outgoing).await
    }
}

async fn list(shared: &Shared, topic: &str) -> Result<Vec<DeadLetter>, Error> {
    let reader = match Broadcast::open(shared, &[topic], From::Beginning).await {
        Ok(reader) => reader,
        Err(Error::NoSuchTopic { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let (mut events, mut letters) = (reader.events(), Vec::new());
    // A dead-letter topic has one partition.
    while let Some(Event::Record(record)) = events.try_next().await? {
        letters.push(read(&record));
    }
    drop(events);
    Ok(letters)
}

fn read(record: &Record) -> DeadLetter {
    let text = |name| record.header(name).unwrap_or_default().to_owned();
    DeadLetter {
        offset: record.offset,
        reason: text(REASON),
        error: text(ERROR),
        topic: text(TOPIC),
        partition: text(PARTITION).parse().unwrap_or_default(),
        source_offset: text(OFFSET).parse().unwrap_or_default(),
        time: text(TIME),
        key: record.key_text(),
        value: record.value.clone().unwrap_or_default(),
        headers: record.headers.iter().filter(|(name, _)| !name.starts_with(PREFIX)).cloned().collect(),
    }
}
