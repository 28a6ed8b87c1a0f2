//! Puts the service together.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use event_bus::Bus;
use gitops::{Repository, Trailers, Writer};
use runtime::{
    Clock, Lifecycle, Metrics as Registry, Random, Readiness, SystemClock, SystemRandom, chain, http_client,
};
use secrecy::{ExposeSecret as _, SecretSlice};
use tokio::sync::{Mutex, Semaphore};
use tracing::{error, warn};
use web::{Parts, Server, Verifier, cursor::Cursors};

use crate::{
    announce::{Announce, OnTopics},
    commands::{self, Commands},
    desired::DesiredState,
    engine::Engine,
    metrics::Metrics,
    recovery::{self, Recovery},
    relay::show_remembered,
    requests::Door,
    routes,
    settings::{SERVICE, Settings},
    store::Store,
    wake::Wake,
};

/// The service, connected and bound, and not running yet.
pub struct App {
    engine: Engine,
    server: Server,
    readiness: Readiness,
    verifier: Verifier,
}

impl App {
    /// Opens the store and the mirror, connects to the broker, and binds.
    pub async fn build(settings: Settings, lifecycle: &Lifecycle) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(SystemRandom::default());
        let registry = Registry::new(SERVICE);
        let metrics = Metrics::register(&registry);
        let (spawner, stopping) = (lifecycle.spawner(), lifecycle.stopping());

        let store = Store::open(settings.database.expose_secret()).await.context("opening the store")?;
        let bus = Bus::connect(settings.bus, SERVICE, Arc::clone(&clock), &registry);
        let bus = bus.await.context("connecting to the broker")?;
        let repository = Repository::open_or_create(settings.git.remote, &settings.git.mirror)
            .context("opening the mirror of the repository")?;
        let key: SecretSlice<u8> = settings.git.trailer_key.expose_secret().as_bytes().to_vec().into();
        let trailers = Trailers::new(&key);
        let client = http_client(&settings.http).context("building the client of the token issuer")?;
        let verifier = Verifier::new(settings.oidc, client, Arc::clone(&clock), spawner.clone());

        let desired = DesiredState::new(repository.clone());
        let announce: Arc<dyn Announce> = Arc::new(OnTopics(bus.clone()));
        let wake = Wake::default();
        let commands = Commands::new(commands::Parts {
            repository: repository.clone(),
            writer: Writer::new(repository.clone(), trailers.clone()),
            desired: desired.clone(),
            announce: Arc::clone(&announce),
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
            spawner: spawner.clone(),
            name: settings.git.name.clone(),
            turn: Mutex::new(()),
        });
        let readiness = Readiness::new(stopping.clone());
        let engine = Engine {
            door: Door {
                commands: commands.clone(),
                desired: desired.clone(),
                store: store.clone(),
                announce: Arc::clone(&announce),
                clock: Arc::clone(&clock),
                metrics: metrics.clone(),
            },
            store: store.clone(),
            repository: repository.clone(),
            trailers,
            bus,
            desired: desired.clone(),
            wake: wake.clone(),
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
            settings: settings.relay,
            poll: settings.git.poll,
            name: settings.git.name,
            spawner: spawner.clone(),
            stopping: stopping.clone(),
            gate: readiness.gate("broker"),
            metrics: metrics.clone(),
        };
        let state = routes::State {
            commands,
            desired,
            repository,
            store,
            announce,
            wake,
            verifier: verifier.clone(),
            cursors: Cursors::new(key.expose_secret()),
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
            spawner,
            stopping,
            streams: Arc::new(Semaphore::new(routes::STREAMS)),
            metrics,
        };
        let recovery = Recovery::new(engine.clone());
        let parts =
            Parts { service: SERVICE, readiness: readiness.clone(), metrics: registry, clock, random };
        let address = settings.web.address;
        let server = Server::bind(&settings.web, parts, move |config| {
            recovery::configure(config, &recovery);
            routes::configure(config, &state);
        })
        .with_context(|| format!("listening on {address}"))?;
        Ok(Self { engine, server, readiness, verifier })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Whether it is ready; the gate `broker` opens when the broker is the one that the store knows.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// Hands everything that runs to `lifecycle`, which several services may share.
    pub fn start(self, lifecycle: &Lifecycle) {
        let Self { engine, server, verifier, .. } = self;
        lifecycle.spawn("control-plane-api: http", server.run(lifecycle.stopping()));
        lifecycle.spawner().job("control-plane-api: start", async move {
            if let Err(error) = verifier.warm().await {
                warn!(cause = %chain(&error), "The keys of the token issuer could not be fetched yet");
            }
            begin(engine).await
        });
    }
}

/// Starts the engine if the broker is the one that the store knows; a new store gets to know this one.
async fn begin(engine: Engine) -> anyhow::Result<()> {
    let epoch = engine.store.epoch().await.context("reading the epoch")?;
    let here = engine.bus.cluster_id().to_owned();
    match engine.store.cluster_id().await.context("reading the cluster id")? {
        None => {
            let mut tx = engine.store.begin().await?;
            engine.store.set_cluster(&mut tx, epoch, &here).await?;
            tx.commit().await.context("remembering the cluster id")?;
        }
        Some(known) if known == here => {}
        Some(known) => {
            let reason = format!("the broker is `{here}`, the store knows `{known}`: run `stoa recover`");
            error!(known, here, "The broker is not the one that the store knows; run `stoa recover`");
            engine.gate.close(reason);
            let shown = show_remembered(&engine.store, &engine.repository, &engine.desired).await;
            return shown.context("reading what was relayed");
        }
    }
    let relay = engine.relay(epoch).await.context("loading the relay")?;
    engine.start(epoch, relay);
    Ok(())
}
