//! Dead letters of readers without a group: each record once, however many processes of the service meet it.
//!
//! Who has something to keep takes over the one transactional producer that the service has for these letters, which
//! fences whoever had it, and only then looks what is kept already. While nobody takes it over in turn nothing is
//! added, so the next record needs no second look; whoever lost it learns that when it commits, and begins anew.

use std::{collections::BTreeSet, error::Error as StdError, slice, sync::Arc};

use domain::id::Digest;
use events::Topic;
use futures_util::TryStreamExt as _;
use tokio::sync::Mutex;
use tracing::{debug, warn};

use super::{DeadLetter, Morgue, Reason, read};
use crate::{
    Bus,
    broadcast::{Broadcast, Event},
    error::Error,
    metrics::TopicGroup,
    producer::Outgoing,
    record::Record,
    topics,
    transactional::Transactional,
};

/// The dead letters of a service from one topic, as one reader of it keeps them.
pub(crate) struct Once {
    morgue: Morgue,
    book: Mutex<Book>,
}

/// What is known of the dead-letter topic.
#[derive(Default)]
struct Book {
    /// Held unless another process took it over.
    producer: Option<Transactional>,
    /// What was kept by others, or before this start, and was not met here yet.
    known: BTreeSet<Original>,
    /// The first offset that was not looked at.
    next: i64,
}

/// A record that is a dead letter: where it stood, and what it held there.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Original {
    partition: i32,
    offset: i64,
    value: String,
}

impl Original {
    fn of(record: &Record) -> Self {
        Self::at(record.partition, record.offset, record.value.as_deref().unwrap_or_default())
    }

    fn of_letter(letter: &DeadLetter) -> Self {
        Self::at(letter.partition, letter.source_offset, &letter.value)
    }

    fn at(partition: i32, offset: i64, value: &[u8]) -> Self {
        Self { partition, offset, value: Digest::of(value).as_str().to_owned() }
    }
}

impl Once {
    pub(crate) fn new(bus: &Bus, topic: &'static Topic) -> Self {
        Self { morgue: Morgue::new(bus, topic, bus.service()), book: Mutex::default() }
    }

    /// Keeps `record` with its reason, unless that was done; returns only then, however long it takes.
    pub(crate) async fn keep(
        &self,
        record: &Record,
        reason: Reason,
        error: &(dyn StdError + Send + Sync + 'static),
    ) {
        let (original, letter) = (Original::of(record), self.morgue.letter(record, reason, error));
        let shared = &self.morgue.shared;
        let mut book = self.book.lock().await;
        let mut attempt = 0;
        while let Err(failure) = self.enter(&mut book, &original, &letter).await {
            attempt += 1;
            if matches!(failure, Error::Fenced { .. }) {
                debug!("Another process took the dead letters of `{}` over", record.topic);
            } else {
                warn!(error = %runtime::chain(&failure), attempt, "Could not write to `{}` yet", letter.topic);
            }
            tokio::time::sleep(shared.backoff.delay(attempt, &*shared.random)).await;
        }
    }

    async fn enter(&self, book: &mut Book, original: &Original, letter: &Outgoing) -> Result<(), Error> {
        // What fails below leaves none, and the next attempt takes it over again.
        let producer = match book.producer.take() {
            Some(producer) => producer,
            None => self.take_over(book, &letter.topic).await?,
        };
        // A reader meets each record once, so what it has met need not be remembered.
        if !book.known.remove(original) {
            for position in producer.commit(slice::from_ref(letter)).await? {
                book.next = position.offset + 1;
            }
            let (topic, group) = (self.morgue.topic.name.to_owned(), self.morgue.group.clone());
            self.morgue.shared.metrics.dead_letters.get_or_create(&TopicGroup { topic, group }).inc();
        }
        book.producer = Some(producer);
        Ok(())
    }

    /// From here on only this process adds letters, until it is fenced in turn; all that others added are known.
    async fn take_over(&self, book: &mut Book, letters: &str) -> Result<Transactional, Error> {
        let shared = &self.morgue.shared;
        topics::companions(shared, self.morgue.topic, &self.morgue.group).await?;
        let holder = format!("{}.{}.dlq", self.morgue.group, self.morgue.topic.name);
        let producer = Transactional::open(Arc::clone(shared), holder).await?;
        let reader = Broadcast::open_partition(shared, letters, 0, Some(book.next)).await?;
        let mut events = reader.events();
        while let Some(Event::Record(record)) = events.try_next().await? {
            book.next = record.offset + 1;
            book.known.insert(Original::of_letter(&read(&record)));
        }
        Ok(producer)
    }
}
