//! Reading live, in every process, without a group.

use std::{collections::BTreeMap, future::Future, marker::PhantomData, num::NonZeroU32, sync::Arc};

use domain::{Disposition, Failure};
use events::Event;
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture};
use runtime::Stopping;
use tracing::{Instrument as _, warn};

use crate::{
    Bus,
    broadcast::{self, Broadcast, From, Place},
    consumer::Hold,
    dead_letter::Reason,
    decode,
    delivery::Delivery,
    error::Error,
    handle::{Handle, Update},
    left_out::LeftOut,
    record::Record,
};

impl Bus {
    /// Hands every record of the topic of `E` to `handler`, in this process whatever others read, until the stop.
    ///
    /// No offset is remembered: a handler that fails is asked again if the failure may pass, else the record is left
    /// out and becomes a dead letter of the service, as does one that cannot be decoded.
    pub fn follow<E: Event, H: Handle<E>>(
        &self,
        from: From,
        handler: H,
        stopping: Stopping,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<E, H> {
        self.followers(from).with(handler).run(stopping)
    }

    /// The same for several topics, and for views, with one client for all of them.
    #[must_use]
    pub fn followers(&self, from: From) -> Followers {
        Followers { bus: self.clone(), from, by_topic: BTreeMap::new() }
    }
}

/// Handlers and views of several topics that share one client, and so its connection, threads and memory.
///
/// One record is in hand at a time: a handler that is asked again holds up the others.
pub struct Followers {
    bus: Bus,
    from: From,
    by_topic: BTreeMap<&'static str, Box<dyn Follow>>,
}

impl Followers {
    /// Adds the handler of the topic of `E`; a topic has one.
    #[must_use]
    pub fn with<E: Event, H: Handle<E>>(self, handler: H) -> Self {
        let left_out = LeftOut::kept("follow", &self.bus, E::TOPIC);
        let follower = Follower { bus: self.bus.clone(), handler, left_out, event: PhantomData::<fn() -> E> };
        self.with_follower(E::TOPIC.name, Box::new(follower))
    }

    pub(crate) fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Adds what knows its record type itself.
    pub(crate) fn with_follower(mut self, topic: &'static str, follower: Box<dyn Follow>) -> Self {
        self.by_topic.insert(topic, follower);
        self
    }

    /// Reads until the stop; see [`Bus::follow`].
    pub async fn run(self, stopping: Stopping) -> Result<(), Error> {
        let topics: Vec<&str> = self.by_topic.keys().copied().collect();
        let opening = Broadcast::open(&self.bus.shared, &topics, self.from);
        let Some(reader) = stopping.unless_requested(opening).await else { return Ok(()) };
        let reader = reader?;
        let mut behind = reader.behind(self.from);
        for (topic, follower) in &self.by_topic {
            follower.begins(reader.firsts(topic));
            if has_passed(&behind, topic) {
                follower.caught_up().await;
            }
        }
        let mut events = reader.events();
        while let Some(Some(event)) = stopping.unless_requested(events.next()).await {
            let (place, record) = match event? {
                broadcast::Event::End(place) => (place, None),
                broadcast::Event::Record(record) => (record.place(), Some(record)),
            };
            let Some(follower) = self.by_topic.get(&*place.0) else { continue };
            let high = behind.get(&place).copied();
            // Compaction and transaction marks leave no record at the very end: the end itself is the proof.
            let next = record.as_ref().map_or(high.unwrap_or_default(), |record| record.offset + 1);
            if let Some(record) = record {
                let span = crate::consumer::span(&record, "follow");
                if follower.take_in(Arc::new(record), &stopping).instrument(span).await == End::GivenUp {
                    break;
                }
            }
            follower.passed(place.1, next);
            if high.is_some_and(|high| next >= high) {
                behind.remove(&place);
                if has_passed(&behind, &place.0) {
                    follower.caught_up().await;
                }
            }
        }
        Ok(())
    }
}

/// Whether nothing of `topic` is left of what stood there at the start.
fn has_passed(behind: &BTreeMap<Place, i64>, topic: &str) -> bool {
    !behind.keys().any(|(name, _)| &**name == topic)
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Taken in, or left out.
    Done,
    /// Given up, because the process stops.
    GivenUp,
}

/// A follower whose record type is its own affair.
pub(crate) trait Follow: Send + Sync {
    /// Reading begins at these offsets of its partitions.
    fn begins(&self, _firsts: BTreeMap<i32, i64>) {}
    fn take_in<'a>(&'a self, record: Arc<Record>, stopping: &'a Stopping) -> BoxFuture<'a, End>;
    /// Everything before `next` has been read.
    fn passed(&self, _partition: i32, _next: i64) {}
    fn caught_up(&self) -> BoxFuture<'_, ()>;
}

struct Follower<E, H> {
    bus: Bus,
    handler: H,
    left_out: LeftOut,
    event: PhantomData<fn() -> E>,
}

impl<E: Event, H: Handle<E>> Follow for Follower<E, H> {
    fn take_in<'a>(&'a self, record: Arc<Record>, stopping: &'a Stopping) -> BoxFuture<'a, End> {
        self.repeat(record, stopping).boxed()
    }

    fn caught_up(&self) -> BoxFuture<'_, ()> {
        self.handler.caught_up().boxed()
    }
}

impl<E: Event, H: Handle<E>> Follower<E, H> {
    async fn repeat(&self, record: Arc<Record>, stopping: &Stopping) -> End {
        let mut attempt = NonZeroU32::MIN;
        while let Err((reason, failure)) = self.attempt(&record, attempt, stopping).await {
            if failure.disposition == Disposition::Reject {
                if reason != Reason::Rejected {
                    let delivery = delivery(&record, attempt, stopping);
                    self.handler.unreadable(&record.key_text(), &delivery).await;
                }
                // A broker that does not take the letter must not hold up the stop: the next start writes it.
                let noted = self.left_out.note(&record, reason, &*failure.source);
                return stopping.unless_requested(noted).await.map_or(End::GivenUp, |()| End::Done);
            }
            warn!(
                error = %runtime::chain(&*failure.source),
                attempt,
                "Could not take in {}/{}@{} yet", record.topic, record.partition, record.offset
            );
            let delay = self.bus.shared.backoff.delay(attempt.get(), &*self.bus.shared.random);
            if stopping.unless_requested(tokio::time::sleep(delay)).await.is_none() {
                return End::GivenUp;
            }
            attempt = attempt.saturating_add(1);
        }
        End::Done
    }

    async fn attempt(
        &self,
        record: &Arc<Record>,
        attempt: NonZeroU32,
        stopping: &Stopping,
    ) -> Result<(), (Reason, Failure)> {
        let delivery = delivery(record, attempt, stopping);
        let handled = match decode::update::<E>(&self.bus.shared.registry, record).await {
            Ok(Update::Put(envelope)) => self.handler.handle(&envelope, &delivery).await,
            Ok(Update::Removed(key)) => self.handler.removed(&key, &delivery).await,
            Err(error) => {
                return Err((error.reason(), error.into()));
            }
        };
        handled.map_err(|failure| (Reason::Rejected, failure))
    }
}

fn delivery(record: &Arc<Record>, attempt: NonZeroU32, stopping: &Stopping) -> Delivery {
    Delivery { record: Arc::clone(record), attempt, hold: Hold::forever(), stopping: stopping.clone() }
}
