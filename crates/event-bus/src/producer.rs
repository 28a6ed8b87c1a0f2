//! Writing records.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use events::{Envelope, Event, headers, wire};
use futures_util::future::try_join_all;
use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    producer::{FutureProducer, FutureRecord, Producer as _},
};
use tracing::{instrument, warn};

use crate::{client::Quiet, error::Error, metrics::TopicOnly, record::native_headers, shared::Shared};

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

/// A record that is ready to be written.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub(crate) topic: String,
    pub(crate) partition: Option<i32>,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Outgoing {
    /// Chooses the partition by hand instead of by key.
    #[must_use]
    pub fn to_partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    /// Writes the record under another key than its own.
    #[must_use]
    pub fn under_key(mut self, key: &str) -> Self {
        key.as_bytes().clone_into(&mut self.key);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    /// Replaces the encoded value.
    #[must_use]
    pub fn with_value(mut self, value: Vec<u8>) -> Self {
        self.value = Some(value);
        self
    }

    /// The bytes of the value, for signatures; empty for a removal.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        self.value.as_deref().unwrap_or_default()
    }

    /// The removal of `key` from the compacted topic of `E`.
    #[must_use]
    pub fn removal<E: Event>(key: &str) -> Self {
        Self {
            topic: E::TOPIC.name.to_owned(),
            partition: None,
            key: key.as_bytes().to_vec(),
            value: None,
            headers: Vec::new(),
        }
    }

    pub(crate) fn native(&self) -> (FutureRecord<'_, [u8], [u8]>, usize) {
        let mut record =
            FutureRecord::to(&self.topic).key(self.key.as_slice()).headers(native_headers(&self.headers));
        if let Some(value) = &self.value {
            record = record.payload(value.as_slice());
        }
        if let Some(partition) = self.partition {
            record = record.partition(partition);
        }
        (record, self.value.as_ref().map_or(0, Vec::len))
    }
}

/// The idempotent producer of a service; clones share one connection.
///
/// Every method returns after the brokers have acknowledged (acks=all).
#[derive(Clone)]
pub struct Producer {
    shared: Arc<Shared>,
    native: Arc<ArcSwap<FutureProducer<Quiet>>>,
}

impl Producer {
    pub(crate) fn new(shared: Arc<Shared>) -> Result<Self, Error> {
        let native = make(&shared)?;
        Ok(Self { shared, native: Arc::new(ArcSwap::from_pointee(native)) })
    }

    /// Writes one record, to the partition of its key.
    pub async fn publish<E: Event>(&self, envelope: &Envelope<E>) -> Result<Position, Error> {
        let outgoing = self.prepare(envelope).await?;
        self.send(&outgoing).await
    }

    /// Writes one record to a partition chosen by hand.
    pub async fn publish_to<E: Event>(
        &self,
        partition: i32,
        envelope: &Envelope<E>,
    ) -> Result<Position, Error> {
        let outgoing = self.prepare(envelope).await?.to_partition(partition);
        self.send(&outgoing).await
    }

    /// Writes many records, all in flight at once, in order per key; the positions are in their order.
    pub async fn publish_all<E: Event>(&self, envelopes: &[Envelope<E>]) -> Result<Vec<Position>, Error> {
        let mut positions = Vec::with_capacity(envelopes.len());
        for batch in envelopes.chunks(256) {
            let mut outgoing = Vec::with_capacity(batch.len());
            for envelope in batch {
                outgoing.push(self.prepare(envelope).await?);
            }
            positions.extend(self.send_all(&outgoing).await?);
        }
        Ok(positions)
    }

    /// Removes `key` from the compacted topic of `E`.
    pub async fn retire<E: Event>(&self, key: &str) -> Result<Position, Error> {
        self.send(&Outgoing::removal::<E>(key)).await
    }

    /// Encodes a record, with its headers.
    pub async fn prepare<E: Event>(&self, envelope: &Envelope<E>) -> Result<Outgoing, Error> {
        self.shared.prepare(envelope).await
    }

    /// Writes prepared records, all in flight at once.
    pub async fn send_all(&self, outgoing: &[Outgoing]) -> Result<Vec<Position>, Error> {
        try_join_all(outgoing.iter().map(|record| self.send(record))).await
    }

    /// Writes a prepared record.
    #[instrument(name = "bus.publish", skip_all, fields(topic = %outgoing.topic))]
    pub async fn send(&self, outgoing: &Outgoing) -> Result<Position, Error> {
        let native = self.native.load_full();
        let position = deliver(&native, outgoing).await;
        if position.is_err() && native.client().fatal_error().is_some() {
            self.renew(&native)?;
        }
        let position = position?;
        self.shared.metrics.produced.get_or_create(&TopicOnly { topic: outgoing.topic.clone() }).inc();
        Ok(position)
    }

    /// An idempotent producer that lost its place on the broker is of no more use: a new one takes over.
    fn renew(&self, broken: &Arc<FutureProducer<Quiet>>) -> Result<(), Error> {
        let current = self.native.load_full();
        if Arc::ptr_eq(&current, broken) {
            warn!("The producer broke for good and is made anew");
            self.native.store(Arc::new(make(&self.shared)?));
        }
        Ok(())
    }
}

fn make(shared: &Shared) -> Result<FutureProducer<Quiet>, Error> {
    let config = shared.settings.producer(&shared.service);
    config
        .create_with_context(Quiet)
        .map_err(|source| Error::Client { purpose: "producer".to_owned(), source })
}

/// Hands a record over and waits until the brokers have it.
pub(crate) async fn deliver(native: &FutureProducer<Quiet>, outgoing: &Outgoing) -> Result<Position, Error> {
    let (record, size) = outgoing.native();
    match native.send(record, Duration::from_secs(30)).await {
        Ok(delivery) => Ok(Position { partition: delivery.partition, offset: delivery.offset }),
        Err((KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge), _)) => {
            Err(Error::TooLarge { topic: outgoing.topic.clone(), size })
        }
        Err((
            KafkaError::MessageProduction(
                RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition,
            ),
            _,
        )) => Err(Error::NoSuchTopic { topic: outgoing.topic.clone() }),
        Err((source, _)) => Err(Error::broker(format!("write to `{}`", outgoing.topic), source)),
    }
}

impl Shared {
    /// Encodes a record, with its headers and the current trace.
    pub(crate) async fn prepare<E: Event>(&self, envelope: &Envelope<E>) -> Result<Outgoing, Error> {
        let topic = E::TOPIC.name;
        let id = self
            .registry
            .id_of::<E>()
            .await
            .map_err(|source| Error::Schema { topic: topic.to_owned(), source })?;
        let value = wire::encode(&envelope.event, id).map_err(|source| Error::Encode { topic, source })?;
        if value.len() > E::TOPIC.max_bytes {
            return Err(Error::TooLarge { topic: topic.to_owned(), size: value.len() });
        }
        let mut all: Vec<_> = envelope
            .headers()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into_bytes()))
            .collect();
        if let Some(parent) = runtime::trace_context::traceparent() {
            all.push((headers::TRACEPARENT.to_owned(), parent.into_bytes()));
        }
        Ok(Outgoing {
            topic: topic.to_owned(),
            partition: None,
            key: envelope.event.key().into_bytes(),
            value: Some(value),
            headers: all,
        })
    }
}
