//! A broker with its schema registry: what every service needs before anything else.

use std::{future::Future, io, path::Path, sync::Arc, time::Duration};

use runtime::{Lifecycle, Stopper};
use url::Url;

use crate::{
    cache,
    kafka::{self, Install, Kafka},
    local,
    ports::{self, Ports},
    process::{self, Places},
    registry::{JournalError, OnTopic, Registry},
};

/// The usual ports.
const KAFKA_PORT: u16 = 9092;
const CONTROLLER_PORT: u16 = 9093;
const REGISTRY_PORT: u16 = 8085;

/// A backbone that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// None of the variables that say where the cache lies is set.
    #[error("no cache directory is known: set STOA_CACHE_DIR or HOME")]
    NoCache,
    /// The data directory.
    #[error("could not use the data directory")]
    Data(#[from] io::Error),
    /// A port.
    #[error(transparent)]
    Port(#[from] ports::Error),
    /// The broker.
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    /// The registry's topic.
    #[error("could not open the schema registry's topic")]
    Topic(#[from] event_bus::Error),
    /// The registry's records.
    #[error("could not read the schema registry's topic")]
    Journal(#[from] JournalError),
    /// The registry's address.
    #[error(transparent)]
    Serve(#[from] local::Error),
}

impl Error {
    /// Whether the machine lacks what the broker needs, which a test names and skips.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::NoCache | Self::Kafka(kafka::Error::Missing { .. }))
    }
}

/// A running broker and its registry.
#[derive(Debug)]
pub struct Backbone {
    kafka: Kafka,
    registry: Url,
    stopper: Stopper,
    served: Lifecycle,
}

impl Backbone {
    /// Starts both with their data in `data`; `progress` gets a line for each step.
    pub async fn start(
        data: &Path,
        ports: &mut Ports,
        mut progress: impl FnMut(&str),
    ) -> Result<Self, Error> {
        let servers = cache::servers().ok_or(Error::NoCache)?;
        let install = Install::fetch(&servers, &mut progress).await?;
        if !install.is_archived() {
            progress("Preparing Apache Kafka for fast starts");
            install.make_archive().await?;
        }
        progress("Starting Apache Kafka");
        let settings = kafka::Settings {
            data: data.join("kafka"),
            places: Places::under(data),
            port: ports.claim("kafka", KAFKA_PORT)?,
            controller_port: ports.claim("kafka-controller", CONTROLLER_PORT)?,
            grace: Duration::from_secs(15),
        };
        let kafka = Kafka::start(&install, settings).await?;

        progress("Starting the schema registry");
        let served = Lifecycle::manual();
        let registry = serve_registry(&kafka.bootstrap_servers(), ports, &served).await?;
        Ok(Self { kafka, registry, stopper: served.stopper(), served })
    }

    /// A backbone of its own for one test, with data in `data`, on free ports.
    ///
    /// Nothing when this machine has no Java or Maven, which a line on standard error says: the test is skipped.
    ///
    /// # Panics
    /// If the backbone does not start.
    pub async fn for_test(test: &str, data: &Path) -> Option<Self> {
        let started = match Ports::anywhere(data) {
            Ok(mut ports) => Self::start(data, &mut ports, |_| {}).await,
            Err(error) => Err(error.into()),
        };
        match started {
            Ok(backbone) => Some(backbone),
            Err(error) if error.is_missing() => {
                eprintln!("SKIPPED {test}: {}", runtime::chain(&error));
                None
            }
            Err(error) => panic!("{test}: {}", runtime::chain(&error)),
        }
    }

    /// The broker.
    #[must_use]
    pub fn kafka(&self) -> &Kafka {
        &self.kafka
    }

    /// The registry's address.
    #[must_use]
    pub fn registry(&self) -> &Url {
        &self.registry
    }

    /// What a bus needs to connect.
    #[must_use]
    pub fn settings(&self) -> event_bus::Settings {
        event_bus::Settings::local(&self.kafka.bootstrap_servers(), self.registry.clone())
    }

    /// Ends with an error when the broker ended too often.
    pub fn watch(&self) -> impl Future<Output = Result<(), process::Error>> + Send + 'static {
        self.kafka.watch()
    }

    /// Ends both.
    pub async fn stop(self) {
        self.stopper.stop();
        self.served.outcome().await;
        self.kafka.stop().await;
    }
}

/// Serves a registry that keeps its subjects on the broker.
pub async fn serve_registry(
    bootstrap_servers: &str,
    ports: &mut Ports,
    lifecycle: &Lifecycle,
) -> Result<Url, Error> {
    let listener = ports.listen("schema-registry", REGISTRY_PORT)?;
    let url: Url = format!("http://{}", listener.local_addr()?).parse().map_err(io::Error::other)?;
    let settings = event_bus::Settings::local(bootstrap_servers, url.clone());
    let journal = OnTopic::open(settings).await?;
    let registry = Registry::open(Arc::new(journal)).await?.serve(listener)?;
    let stopping = lifecycle.stopping();
    lifecycle.spawn("schema-registry", registry.serve(async move { stopping.requested().await }));
    Ok(url)
}
