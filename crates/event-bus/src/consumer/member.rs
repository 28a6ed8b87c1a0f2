//! The loop of a group member: poll, hand over, store, answer rebalances.

use std::{
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    time::Duration,
};

use events::Topic;
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer as _, StreamConsumer},
    error::{KafkaError, RDKafkaErrorCode},
};
use runtime::Stopping;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tracing::{debug, info, warn};

use super::{
    Start,
    context::{MemberContext, Rebalance},
    lanes::{Flow, Lanes, Place},
    process::{End, Process},
};
use crate::{broadcast::is_out_of_range, error::Error, record::Record, shared::Shared, topics};

const WAIT: Duration = Duration::from_secs(10);

/// Something in hand that ended.
struct Ended {
    place: Place,
    /// The offset of the record, when it was one.
    offset: Option<i64>,
    end: End,
    /// Which assignment it belonged to.
    assignment: u64,
}

struct Member<P: Process> {
    shared: Arc<Shared>,
    group: String,
    names: Vec<Arc<str>>,
    process: Arc<P>,
    consumer: Arc<StreamConsumer<MemberContext>>,
    lanes: Lanes,
    in_hand: FuturesUnordered<BoxFuture<'static, Ended>>,
    assignment: u64,
    stopping: Stopping,
}

/// Reads `topic` and the group's retry topic until the stop.
pub(super) async fn run<P: Process>(
    shared: Arc<Shared>,
    topic: &'static Topic,
    group: String,
    process: Arc<P>,
    stopping: Stopping,
) -> Result<(), Error> {
    topics::companions(&shared, topic, &group).await?;
    let retry = topics::retry_topic(topic.name, &group);
    // A group of its own per topic: consumers of one service do not stop each other when one of them comes or goes.
    let group_id = format!("{group}.{}", topic.name);
    let (rebalances, incoming) = unbounded_channel();
    let context = MemberContext {
        rebalances,
        closing: AtomicBool::new(false),
        metrics: shared.metrics.clone(),
        group: group.clone(),
    };
    let consumer: StreamConsumer<MemberContext> = shared
        .settings
        .member(&shared.service, &group_id)
        .create_with_context(context)
        .map_err(|source| Error::Client { purpose: format!("member of {group_id}"), source })?;
    consumer
        .subscribe(&[topic.name, &retry])
        .map_err(|source| Error::broker(format!("subscribe to `{}`", topic.name), source))?;
    let mut member = Member {
        shared,
        group,
        names: vec![topic.name.into(), retry.into()],
        process,
        consumer: Arc::new(consumer),
        lanes: Lanes::default(),
        in_hand: FuturesUnordered::new(),
        assignment: 0,
        stopping,
    };
    let result = member.poll(incoming).await;
    member.leave().await;
    result
}

impl<P: Process> Member<P> {
    async fn poll(&mut self, mut rebalances: UnboundedReceiver<Rebalance>) -> Result<(), Error> {
        let consumer = Arc::clone(&self.consumer);
        let stopping = self.stopping.clone();
        loop {
            tokio::select! {
                biased;
                () = stopping.requested() => return Ok(()),
                Some(rebalance) = rebalances.recv() => match rebalance {
                    Rebalance::Assigned(places) => self.assign(places).await?,
                    Rebalance::Revoked => self.revoke().await,
                },
                Some(ended) = self.in_hand.next() => self.ended(&ended),
                received = consumer.recv() => match received {
                    Ok(message) => {
                        let topic = self.name(message.topic());
                        self.received(Record::of(&message, topic));
                    }
                    Err(error) => self.interrupted(error)?,
                },
            }
        }
    }

    fn name(&self, topic: &str) -> Arc<str> {
        self.names.iter().find(|name| &***name == topic).cloned().unwrap_or_else(|| topic.into())
    }

    fn received(&mut self, record: Record) {
        let place = Place { topic: Arc::clone(&record.topic), partition: record.partition };
        let flow = self.lanes.push(record);
        self.flow(&place, flow);
        self.advance(&place);
    }

    /// Begins the next record of a partition that has none in hand.
    fn advance(&mut self, place: &Place) {
        let Some((record, hold)) = self.lanes.take(place) else { return };
        let (place, offset, assignment) = (place.clone(), Some(record.offset), self.assignment);
        let work = Arc::clone(&self.process).process(record, hold);
        self.in_hand.push(work.map(move |end| Ended { place, offset, end, assignment }).boxed());
    }

    fn ended(&mut self, ended: &Ended) {
        if ended.assignment != self.assignment {
            return;
        }
        if ended.end == End::GivenUp {
            // The partition stays occupied: the process stops or the partition goes.
            return;
        }
        if let Some(offset) = ended.offset {
            self.store(&ended.place, offset);
        }
        let flow = self.lanes.finish(&ended.place);
        self.flow(&ended.place, flow);
        self.advance(&ended.place);
    }

    /// Remembers that the record at `offset` is finished; librdkafka adds the one that makes it the next offset.
    fn store(&self, place: &Place, offset: i64) {
        // For a partition that went this is an error, and then its next holder meets the record again.
        if let Err(error) = self.consumer.store_offset(&place.topic, place.partition, offset) {
            debug!(%error, "Could not store the offset of {}/{}", place.topic, place.partition);
        }
    }

    fn flow(&self, place: &Place, flow: Flow) {
        let mut list = TopicPartitionList::new();
        list.add_partition(&place.topic, place.partition);
        let result = match flow {
            Flow::Leave => return,
            Flow::Pause => self.consumer.pause(&list),
            Flow::Resume => self.consumer.resume(&list),
        };
        if let Err(error) = result {
            warn!(%error, "Could not pause or resume {}/{}", place.topic, place.partition);
        }
    }

    fn interrupted(&self, error: KafkaError) -> Result<(), Error> {
        if is_out_of_range(&error) {
            return Err(Error::OffsetOutOfRange {
                group: self.group.clone(),
                topic: self.names[0].to_string(),
            });
        }
        if let KafkaError::MessageConsumptionFatal(_) = error {
            return Err(Error::MemberRefused { group: self.group.clone(), source: error });
        }
        warn!(%error, topic = %self.names[0], "Reading `{}` is interrupted", self.names[0]);
        Ok(())
    }

    async fn assign(&mut self, places: Vec<(String, i32)>) -> Result<(), Error> {
        self.assignment += 1;
        let places: Vec<Place> = places
            .into_iter()
            .map(|(topic, partition)| Place { topic: self.name(&topic), partition })
            .collect();
        let Some(offsets) = self.offsets(&places).await else { return Ok(()) };
        self.consumer
            .assign(&offsets)
            .map_err(|source| Error::broker(format!("take up partitions of `{}`", self.names[0]), source))?;
        let partitions: Vec<_> =
            places.iter().filter(|place| place.topic == self.names[0]).map(|place| place.partition).collect();
        info!(group = %self.group, ?partitions, "Holding partitions of `{}`", self.names[0]);
        for place in places {
            let hold = self.lanes.open(place.clone());
            if place.topic == self.names[0] {
                self.lanes.occupy(&place);
                let assignment = self.assignment;
                let opening = Arc::clone(&self.process).open(place.partition, hold);
                self.in_hand
                    .push(opening.map(move |end| Ended { place, offset: None, end, assignment }).boxed());
            }
        }
        Ok(())
    }

    /// Where to begin in each place; nothing when the process stops first.
    async fn offsets(&mut self, places: &[Place]) -> Option<TopicPartitionList> {
        let committed = self.committed(places).await?;
        let mut offsets = TopicPartitionList::new();
        for place in places {
            let start = if place.topic == self.names[0] {
                Arc::clone(&self.process).start(place.partition).await?
            } else {
                Start::Committed
            };
            let stored = committed.find_partition(&place.topic, place.partition).map(|found| found.offset());
            let offset = match (start, stored) {
                (Start::At(offset), _) | (Start::Committed, Some(Offset::Offset(offset))) => {
                    Offset::Offset(offset)
                }
                // The group never finished a record here, so nothing may be skipped.
                (Start::Committed, _) => Offset::Beginning,
            };
            if let Err(error) = offsets.add_partition_offset(&place.topic, place.partition, offset) {
                warn!(%error, "Could not begin in {}/{}", place.topic, place.partition);
            }
        }
        Some(offsets)
    }

    /// What the group has committed; asks until the broker answers or the process stops.
    async fn committed(&mut self, places: &[Place]) -> Option<TopicPartitionList> {
        let mut attempt = 0;
        loop {
            let mut list = TopicPartitionList::new();
            for place in places {
                list.add_partition(&place.topic, place.partition);
            }
            let consumer = Arc::clone(&self.consumer);
            let asked = tokio::task::spawn_blocking(move || consumer.committed_offsets(list, WAIT)).await;
            match asked.unwrap_or(Err(KafkaError::Canceled)) {
                Ok(committed) => return Some(committed),
                Err(error) => {
                    attempt += 1;
                    warn!(%error, group = %self.group, "Could not read the group's offsets yet");
                    let delay = self.shared.backoff.delay(attempt, &*self.shared.random);
                    self.stopping.unless_requested(tokio::time::sleep(delay)).await?;
                }
            }
        }
    }

    /// Gives all partitions back after what is in hand has ended, or after half a session.
    async fn revoke(&mut self) {
        let grace = self.shared.settings.session_timeout / 2;
        if self.consumer.assignment_lost() {
            // Somebody else holds them already: what is in hand can only end.
            self.lanes.clear();
        } else {
            self.finish(Some(grace)).await;
            self.commit().await;
        }
        self.in_hand.clear();
        self.assignment += 1;
        self.process.close();
        if let Err(error) = self.consumer.unassign() {
            warn!(%error, group = %self.group, "Could not give the partitions back");
        }
    }

    /// Lets what is in hand end; nothing new begins.
    async fn finish(&mut self, within: Option<Duration>) {
        self.lanes.clear();
        let ends = async {
            while let Some(ended) = self.in_hand.next().await {
                if let (End::Done, Some(offset), true) =
                    (ended.end, ended.offset, ended.assignment == self.assignment)
                {
                    self.store(&ended.place, offset);
                }
            }
        };
        match within {
            None => ends.await,
            Some(within) => {
                if tokio::time::timeout(within, ends).await.is_err() {
                    warn!(group = %self.group, "Cutting records in hand, because the partitions go");
                }
            }
        }
    }

    async fn commit(&mut self) {
        let consumer = Arc::clone(&self.consumer);
        let committed =
            tokio::task::spawn_blocking(move || consumer.commit_consumer_state(CommitMode::Sync)).await;
        match committed.unwrap_or(Err(KafkaError::Canceled)) {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => warn!(%error, group = %self.group, "Could not commit the last offsets"),
        }
    }

    /// Finishes the records in hand, commits and leaves the group.
    async fn leave(mut self) {
        self.finish(None).await;
        self.commit().await;
        self.process.close();
        let consumer = self.consumer;
        consumer.context().closing.store(true, Ordering::Release);
        // Leaving waits for the coordinator, on this thread.
        if tokio::task::spawn_blocking(move || drop(consumer)).await.is_err() {
            warn!(group = %self.group, "Could not leave the group in order");
        }
    }
}
