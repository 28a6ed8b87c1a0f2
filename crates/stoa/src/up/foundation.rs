//! What the services stand on: broker, registry, issuer, repository, sample backend; ours or somebody else's.

use std::{net::TcpListener, sync::Arc};

use anyhow::{Context as _, bail};
use devstack::{
    Backbone,
    issuer::{Issuer, Key, Sessions},
    petstore,
    ports::Ports,
    process::end_leftovers,
    serve_registry,
};
use event_bus::Bus;
use runtime::{Lifecycle, Metrics, SystemClock, SystemRandom};
use url::Url;

use super::{Options, demo, home::Home, people, repository::Desired};
use crate::{connection::Connection, progress::Progress};

/// The usual ports.
const CONTROL_PLANE: u16 = 8000;
const WORKER: u16 = 8002;
const GATEWAY: u16 = 8080;
const ISSUER: u16 = 8081;
const BACKEND: u16 = 8090;

/// The part that `ports.json` knows the sample backend by.
const BACKEND_PART: &str = "sample-backend";

/// Where the services will answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    pub control_plane: u16,
    pub worker: u16,
    pub gateway: u16,
}

/// Everything that runs below the services.
pub(super) struct Foundation {
    pub addresses: Addresses,
    backbone: Option<Backbone>,
    /// The stand-ins of this process.
    stand_ins: Lifecycle,
    kafka: String,
    registry: Url,
    issuer: Url,
    development: bool,
    git: String,
}

impl Foundation {
    /// Starts what is not somebody else's.
    pub(super) async fn start(
        home: &Home,
        options: &Options,
        progress: &mut Progress,
    ) -> anyhow::Result<Self> {
        // Before ports are claimed: what a killed run left behind may still hold them.
        end_leftovers(&home.places()).await?;
        let mut ports = Ports::of(home.data())?;
        let stand_ins = Lifecycle::manual();

        let mut backbone = None;
        let (kafka, registry) = match (&options.kafka, &options.registry) {
            (Some(kafka), Some(registry)) => (kafka.clone(), registry.clone()),
            (Some(kafka), None) => {
                progress.step("Starting the schema registry");
                (kafka.clone(), serve_registry(kafka, &mut ports, &stand_ins).await?)
            }
            (None, Some(_)) => bail!("--registry keeps its schemas on a broker of its own: say --kafka too"),
            (None, None) => {
                let own = Backbone::start(home.data(), &mut ports, |step| progress.step(step)).await?;
                let addresses = (own.kafka().bootstrap_servers(), own.registry().clone());
                backbone = Some(own);
                addresses
            }
        };

        progress.step("Preparing the repository");
        let addresses = Addresses {
            control_plane: ports.claim("control-plane-api", CONTROL_PLANE)?,
            worker: ports.claim("deployment-worker", WORKER)?,
            gateway: ports.claim("mcp-gateway", GATEWAY)?,
        };
        let backend = if options.demo || ports.remembered(BACKEND_PART).is_some() {
            Some(start_backend(ports.listen(BACKEND_PART, BACKEND)?, &stand_ins)?)
        } else {
            None
        };
        let desired = match &options.git {
            Some(remote) => Desired::elsewhere(home, remote).await?,
            None => Desired::own(home, &loopback(addresses.gateway)?).await?,
        };
        match &backend {
            Some(backend) if options.demo => {
                desired.add(demo::files(backend)?, "Add the demo tenant").await?;
            }
            Some(backend) => desired.follow_backend(backend).await?,
            None => {}
        }

        let (issuer, development) = if let Some(issuer) = &options.issuer {
            (issuer.clone(), false)
        } else {
            progress.step("Starting the token issuer");
            let listener = ports.listen("token-issuer", ISSUER)?;
            (start_issuer(home, listener, &desired, &stand_ins)?, true)
        };
        let git = desired.remote().to_owned();
        Ok(Self { addresses, backbone, stand_ins, kafka, registry, issuer, development, git })
    }

    /// A part that ends too often stops the platform.
    pub(super) fn watch(&self, lifecycle: &Lifecycle) {
        if let Some(backbone) = &self.backbone {
            let (ended, stopping) = (backbone.watch(), lifecycle.stopping());
            lifecycle.spawn("kafka", async move { stopping.unless_requested(ended).await.unwrap_or(Ok(())) });
        }
    }

    /// The addresses, for services and for the command line.
    pub(super) fn connection(&self) -> anyhow::Result<Connection> {
        Ok(Connection {
            api: loopback(self.addresses.control_plane)?,
            gateway: loopback(self.addresses.gateway)?,
            issuer: self.issuer.clone(),
            development: self.development,
            user: people::FIRST.to_owned(),
            kafka: self.kafka.clone(),
            registry: self.registry.clone(),
            git: self.git.clone(),
        })
    }

    /// Makes the topics that are missing and registers the schemas.
    pub(super) async fn prepare_topics(&self) -> anyhow::Result<()> {
        let settings = event_bus::Settings::local(&self.kafka, self.registry.clone());
        let metrics = Metrics::new("stoa");
        let bus = Bus::connect(settings, "stoa", Arc::new(SystemClock), &metrics).await?;
        let applied = bus.topics().apply(events::topics::ALL).await?;
        for drift in applied.drift {
            tracing::warn!(
                topic = drift.topic,
                what = drift.what,
                expected = drift.expected,
                found = drift.found,
                "A topic is not what the table says"
            );
        }
        for (version, id) in bus.registry().restore().await? {
            tracing::warn!(topic = version.topic, id = id.0, "A schema has another id than the lock says");
        }
        bus.registry().demand_full_transitive().await?;
        Ok(())
    }

    /// Ends everything, the broker last.
    pub(super) async fn stop(self) {
        self.stand_ins.stopper().stop();
        self.stand_ins.outcome().await;
        if let Some(backbone) = self.backbone {
            backbone.stop().await;
        }
    }
}

fn loopback(port: u16) -> anyhow::Result<Url> {
    format!("http://127.0.0.1:{port}").parse().context("making an address")
}

fn start_backend(listener: TcpListener, stand_ins: &Lifecycle) -> anyhow::Result<Url> {
    let backend = petstore::serve(listener)?;
    let address = backend.base().parse().context("making an address")?;
    let stopping = stand_ins.stopping();
    stand_ins.spawn(BACKEND_PART, backend.serve(async move { stopping.requested().await }));
    Ok(address)
}

fn start_issuer(
    home: &Home,
    listener: TcpListener,
    desired: &Desired,
    stand_ins: &Lifecycle,
) -> anyhow::Result<Url> {
    let key = Key::read_or_make(&home.data().join("secrets/token-issuer.pem"))?;
    let sessions = Sessions::open(&home.data().join("secrets/token-sessions.json"))
        .context("reading the sessions of the token issuer")?;
    let people = Arc::new(people::Declared::by(desired.repository(), home)?);
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom::default()));
    let issuer = Issuer::new(key, people, sessions, clock, random).serve(listener)?;
    let address = issuer.base().parse().context("making an address")?;
    let stopping = stand_ins.stopping();
    stand_ins.spawn("token-issuer", issuer.serve(async move { stopping.requested().await }));
    Ok(address)
}
