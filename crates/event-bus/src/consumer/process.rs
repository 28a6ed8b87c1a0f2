//! What happens with one record: decode, hand over, repeat or lay aside.

use std::{
    collections::HashMap,
    marker::PhantomData,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{Classify as _, Disposition, Failure};
use events::Event;
use futures_util::{FutureExt as _, future::BoxFuture};
use runtime::{Backoff, Stopping};
use tokio::sync::OnceCell;
use tracing::{Instrument as _, Span, info_span, warn};

use super::{Consumption, Hold, Partitioned, Start};
use crate::{
    Bus,
    dead_letter::{Morgue, Reason},
    decode,
    delivery::Delivery,
    handle::{Handle, Update},
    metrics::TopicGroup,
    record::Record,
    shared::Shared,
};

/// What became of something in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Finished: its offset may move.
    Done,
    /// Given up, because the process stops or the partition went; somebody will meet it again.
    GivenUp,
}

/// The part of a member that knows its record type.
pub(super) trait Process: Send + Sync + 'static {
    /// Where to begin in a partition; nothing when the process stops first.
    fn start(self: Arc<Self>, partition: i32) -> BoxFuture<'static, Option<Start>>;
    /// Takes up a partition.
    fn open(self: Arc<Self>, partition: i32, hold: Hold) -> BoxFuture<'static, End>;
    /// Takes in a record.
    fn process(self: Arc<Self>, record: Record, hold: Hold) -> BoxFuture<'static, End>;
    /// Forgets all sessions.
    fn close(&self);
}

/// A handler that keeps nothing per partition.
pub(super) struct Whole<H>(pub(super) Arc<H>);

impl<E: Event, H: Handle<E>> Partitioned<E> for Whole<H> {
    type Session = Arc<H>;

    async fn open(&self, _: i32, _: Hold) -> Result<Arc<H>, Failure> {
        Ok(Arc::clone(&self.0))
    }
}

type Slot<S> = Arc<OnceCell<Arc<S>>>;

/// The record type, the sessions and everything that a record may need.
pub(super) struct Typed<E: Event, P: Partitioned<E>> {
    shared: Arc<Shared>,
    partitioned: P,
    morgue: Morgue,
    backoff: Backoff,
    stopping: Stopping,
    labels: TopicGroup,
    sessions: Mutex<HashMap<i32, Slot<P::Session>>>,
    event: PhantomData<fn() -> E>,
}

impl<E: Event, P: Partitioned<E>> Typed<E, P> {
    pub(super) fn new(
        bus: &Bus,
        group: &str,
        partitioned: P,
        consumption: Consumption,
        stopping: Stopping,
    ) -> Arc<Self> {
        // Taking in must not stall a partition for long; a store may take its time to come back.
        let max = match consumption {
            Consumption::Projection => bus.shared.backoff.max,
            Consumption::Worker => Duration::from_secs(2),
        };
        Arc::new(Self {
            shared: Arc::clone(&bus.shared),
            partitioned,
            morgue: Morgue::new(bus, E::TOPIC, group),
            backoff: Backoff { max, ..bus.shared.backoff },
            stopping,
            labels: TopicGroup { topic: E::TOPIC.name.to_owned(), group: group.to_owned() },
            sessions: Mutex::default(),
            event: PhantomData,
        })
    }

    /// The session of a partition, opened by whoever asks first.
    async fn session(&self, partition: i32, hold: &Hold) -> Option<Arc<P::Session>> {
        let slot = {
            let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(sessions.entry(partition).or_default())
        };
        let opened = slot.get_or_try_init(|| async {
            let mut attempt = 0;
            loop {
                match self.partitioned.open(partition, hold.clone()).await {
                    Ok(session) => return Ok(Arc::new(session)),
                    Err(failure) => {
                        attempt += 1;
                        warn!(
                            error = %runtime::chain(&*failure.source),
                            attempt,
                            "Could not take up partition {partition} of `{}` yet", self.labels.topic
                        );
                        if !self.wait(attempt, hold).await {
                            return Err(());
                        }
                    }
                }
            }
        });
        opened.await.ok().map(Arc::clone)
    }

    /// Waits before the next attempt; false when there must be none.
    async fn wait(&self, attempt: u32, hold: &Hold) -> bool {
        let delay = self.backoff.delay(attempt, &*self.shared.random);
        tokio::select! {
            biased;
            () = self.stopping.requested() => false,
            () = hold.lost() => false,
            () = tokio::time::sleep(delay) => true,
        }
    }

    async fn take_in(&self, record: Arc<Record>, hold: Hold) -> End {
        let Some(session) = self.session(record.partition, &hold).await else { return End::GivenUp };
        let mut update = None;
        let mut attempt = NonZeroU32::MIN;
        loop {
            let failure = match self.attempt(&session, &mut update, &record, &hold, attempt).await {
                Ok(()) => {
                    self.shared.metrics.handled.get_or_create(&self.labels).inc();
                    return End::Done;
                }
                Err((Disposition::Retry, _, failure)) => failure,
                Err((Disposition::Reject, reason, failure)) => {
                    self.morgue.keep(&record, reason, &*failure).await;
                    return End::Done;
                }
            };
            self.shared.metrics.retries.get_or_create(&self.labels).inc();
            warn!(
                error = %runtime::chain(&*failure),
                attempt,
                "Could not take in {}/{}@{} yet", record.topic, record.partition, record.offset
            );
            if !self.wait(attempt.get(), &hold).await {
                return End::GivenUp;
            }
            attempt = attempt.saturating_add(1);
        }
    }

    async fn attempt(
        &self,
        session: &P::Session,
        update: &mut Option<Update<E>>,
        record: &Arc<Record>,
        hold: &Hold,
        attempt: NonZeroU32,
    ) -> Result<(), (Disposition, Reason, Box<dyn std::error::Error + Send + Sync>)> {
        if update.is_none() {
            let decoded = decode::update::<E>(&self.shared.registry, record).await;
            *update =
                Some(decoded.map_err(|error| (error.disposition(), error.reason(), Box::new(error) as _))?);
        }
        let delivery = Delivery {
            record: Arc::clone(record),
            attempt,
            hold: hold.clone(),
            stopping: self.stopping.clone(),
        };
        let handled = match update {
            Some(Update::Put(envelope)) => session.handle(envelope, &delivery).await,
            Some(Update::Removed(key)) => session.removed(key, &delivery).await,
            None => Ok(()),
        };
        handled.map_err(|failure| (failure.disposition, Reason::Rejected, failure.source))
    }
}

impl<E: Event, P: Partitioned<E>> Process for Typed<E, P> {
    fn start(self: Arc<Self>, partition: i32) -> BoxFuture<'static, Option<Start>> {
        async move {
            let hold = Hold::forever();
            let mut attempt = 0;
            loop {
                match self.partitioned.start(partition).await {
                    Ok(start) => return Some(start),
                    Err(failure) => {
                        attempt += 1;
                        warn!(
                            error = %runtime::chain(&*failure.source),
                            "Could not learn where to begin in partition {partition} of `{}` yet",
                            self.labels.topic
                        );
                        if !self.wait(attempt, &hold).await {
                            return None;
                        }
                    }
                }
            }
        }
        .boxed()
    }

    fn open(self: Arc<Self>, partition: i32, hold: Hold) -> BoxFuture<'static, End> {
        async move {
            match self.session(partition, &hold).await {
                Some(_) => End::Done,
                None => End::GivenUp,
            }
        }
        .boxed()
    }

    fn process(self: Arc<Self>, record: Record, hold: Hold) -> BoxFuture<'static, End> {
        let record = Arc::new(record);
        let span = span(&record, &self.labels.group);
        async move { self.take_in(record, hold).await }.instrument(span).boxed()
    }

    fn close(&self) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A root span, linked to the producer's.
pub(crate) fn span(record: &Record, group: &str) -> Span {
    let span = info_span!(
        parent: None,
        "bus.handle",
        topic = %record.topic,
        partition = record.partition,
        offset = record.offset,
        group,
    );
    if let Some(producer) = record.header(events::headers::TRACEPARENT) {
        runtime::trace_context::link(&span, producer);
    }
    span
}
