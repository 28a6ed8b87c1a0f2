//! One service's connection to the broker and the registry.

use std::{sync::Arc, time::Duration};

use events::{Envelope, Event};
use jiff::Timestamp;
use rdkafka::producer::{FutureProducer, Producer as _};
use runtime::{Backoff, Clock, HttpSettings, Metrics as MetricsRegistry, Random, SystemRandom, http_client};
use uuid::Uuid;

use crate::{
    client::Quiet,
    dead_letter::DeadLetters,
    error::Error,
    metrics::Metrics,
    producer::{Outgoing, Producer},
    registry::Registry,
    settings::Settings,
    shared::Shared,
    topics::Topics,
    transactional::Transactional,
};

/// A service's way to its topics; clones share everything.
#[derive(Clone)]
pub struct Bus {
    pub(crate) shared: Arc<Shared>,
    producer: Producer,
}

impl Bus {
    /// Connects to the broker, which must answer within ten seconds; the registry is first asked when needed.
    pub async fn connect(
        settings: Settings,
        service: &str,
        clock: Arc<dyn Clock>,
        metrics: &MetricsRegistry,
    ) -> Result<Self, Error> {
        let random = Arc::new(SystemRandom::default());
        Self::connect_with(settings, service, clock, random, metrics).await
    }

    /// Connects with given randomness.
    pub async fn connect_with(
        settings: Settings,
        service: &str,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        metrics: &MetricsRegistry,
    ) -> Result<Self, Error> {
        let http = HttpSettings { timeout: settings.schema_registry_timeout, ..HttpSettings::default() };
        let http = http_client(&http).map_err(|source| Error::Schema {
            topic: "every topic".to_owned(),
            source: crate::registry::RegistryError::Unreachable(source),
        })?;
        let cluster_id = cluster_id(&settings, service).await?;
        let shared = Arc::new(Shared {
            registry: Registry::new(&settings, http, Arc::clone(&clock)),
            service: service.to_owned(),
            metrics: Metrics::register(metrics),
            backoff: Backoff::default(),
            settings,
            clock,
            random,
            cluster_id,
        });
        Ok(Self { producer: Producer::new(Arc::clone(&shared))?, shared })
    }

    /// The id of the cluster, which a service compares with the one that its store remembers.
    #[must_use]
    pub fn cluster_id(&self) -> &str {
        &self.shared.cluster_id
    }

    /// The service's name.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.shared.service
    }

    /// The clock that the bus was given.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// The randomness that the bus was given.
    #[must_use]
    pub fn random(&self) -> &Arc<dyn Random> {
        &self.shared.random
    }

    /// The producer.
    #[must_use]
    pub fn producer(&self) -> Producer {
        self.producer.clone()
    }

    /// The schema registry.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// Administration of topics.
    #[must_use]
    pub fn topics(&self) -> Topics {
        Topics::new(Arc::clone(&self.shared))
    }

    /// The dead letters of `group` from `topic`.
    #[must_use]
    pub fn dead_letters(&self, topic: &str, group: &str) -> DeadLetters {
        DeadLetters::new(self.clone(), topic, group)
    }

    /// An envelope of this service, made now.
    #[must_use]
    pub fn envelope<E: Event>(&self, id: Uuid, event: E) -> Envelope<E> {
        Envelope { id, source: format!("/stoa/{}", self.shared.service), time: self.now(), event }
    }

    /// Encodes a record, to be written later or in a transaction.
    pub async fn prepare<E: Event>(&self, envelope: &Envelope<E>) -> Result<Outgoing, Error> {
        self.shared.prepare(envelope).await
    }

    /// The producer that belongs to whoever opened it last, by group, topic and partition.
    pub async fn transactional<E: Event>(&self, group: &str, partition: i32) -> Result<Transactional, Error> {
        let holder = format!("{group}.{}.{partition}", E::TOPIC.name);
        Transactional::open(Arc::clone(&self.shared), holder).await
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }
}

async fn cluster_id(settings: &Settings, service: &str) -> Result<String, Error> {
    let producer: FutureProducer<Quiet> = settings
        .client(service)
        .create_with_context(Quiet)
        .map_err(|source| Error::Client { purpose: "first contact".to_owned(), source })?;
    let asked = tokio::task::spawn_blocking(move || {
        let wait = Duration::from_secs(10);
        // The metadata call reports why the broker cannot be reached; the id alone would not.
        producer.client().fetch_metadata(Some("catalog-heads"), wait)?;
        Ok(producer.client().fetch_cluster_id(wait).unwrap_or_default())
    });
    let answer = asked.await.unwrap_or(Err(rdkafka::error::KafkaError::Canceled));
    answer.map_err(|source| Error::broker("reach the broker", source))
}
