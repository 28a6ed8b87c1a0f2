//! Puts the service together.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use event_bus::Bus;
use events::{CatalogApi, CatalogEnvironment, CatalogGateway, CatalogTenant, Event, GatewayRoute};
use runtime::{
    Clock, Gate, Lifecycle, Metrics, Random as _, Readiness, SystemClock, SystemRandom, chain, http_client,
};
use tokio::sync::mpsc::unbounded_channel;
use tracing::warn;
use web::{Parts, Server, Verifier};

use crate::{
    acks,
    catalogue::Catalogue,
    follow::follow,
    gateway::{Gateway, Identity},
    heartbeat,
    settings::{SERVICE, Settings},
};

/// The service, connected and bound, and not running yet.
pub struct App {
    bus: Bus,
    gateway: Gateway,
    server: Server,
    readiness: Readiness,
    /// Closed from the start, because a service without gates is ready.
    caught_up: Gate,
    verifier: Verifier,
    routes: event_bus::View<GatewayRoute>,
}

impl App {
    /// Connects to the broker and binds; views begin to be read, in tasks of `lifecycle`.
    pub async fn build(settings: Settings, lifecycle: &Lifecycle) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random = Arc::new(SystemRandom::default());
        let metrics = Metrics::new(SERVICE);
        let stopping = lifecycle.stopping();
        let bus = Bus::connect(settings.bus, SERVICE, Arc::clone(&clock), &metrics);
        let bus = bus.await.context("connecting to the broker")?;

        let client = http_client(&settings.http).context("building the client of the token issuer")?;
        let issuer = settings.oidc.issuer.clone();
        let verifier = Verifier::new(settings.oidc, client, Arc::clone(&clock), lifecycle.spawner());
        let identity = Identity {
            environment: settings.environment,
            replica: settings.replica.unwrap_or_else(|| format!("gateway-{:016x}", random.bits())),
            started_at: clock.now(),
            issuer,
            on_loopback: settings.server.address.ip().is_loopback(),
        };
        let catalogue = Catalogue {
            tenants: Arc::new(view::<CatalogTenant>(&bus, lifecycle)),
            apis: Arc::new(view::<CatalogApi>(&bus, lifecycle)),
            environments: Arc::new(view::<CatalogEnvironment>(&bus, lifecycle)),
            gateways: Arc::new(view::<CatalogGateway>(&bus, lifecycle)),
        };
        let gateway = Gateway::new(
            identity,
            settings.mcp,
            settings.server.workers,
            &settings.http,
            verifier.clone(),
            catalogue,
            &metrics,
            Arc::clone(&clock),
            stopping.clone(),
        )
        .context("building the clients of backends")?;

        let readiness = Readiness::new(stopping);
        let caught_up = readiness.gate("routes");
        let parts = Parts { service: SERVICE, readiness: readiness.clone(), metrics, clock, random };
        let handlers = gateway.clone();
        let server = Server::bind(&settings.server, parts, move |config| handlers.configure(config));
        let server = server.with_context(|| format!("listening on {}", settings.server.address))?;
        let routes = view(&bus, lifecycle);
        Ok(Self { bus, gateway, server, readiness, caught_up, verifier, routes })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Whether it is ready; one gate, `routes`, opens when `gateway-routes` is read to its end.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// Hands everything that runs to `lifecycle`, which several services may share.
    pub fn start(self, lifecycle: &Lifecycle) {
        let stopping = lifecycle.stopping();
        let (acks, said) = unbounded_channel();
        let identity = self.gateway.identity().clone();

        let routes = follow(self.routes, self.gateway, acks, self.caught_up, stopping.clone());
        lifecycle.spawn("gateway-routes", routes);
        let started = identity.started_at.to_string();
        lifecycle.spawn("gateway-acks", acks::publish(self.bus.clone(), said, started, stopping.clone()));
        let beat = heartbeat::beat(self.bus, identity, self.readiness, stopping.clone());
        lifecycle.spawn("gateway-heartbeat", beat);
        lifecycle.spawn("gateway-http", self.server.run(stopping));
        let verifier = self.verifier;
        lifecycle.spawner().job("gateway-issuer-keys", async move {
            if let Err(error) = verifier.warm().await {
                warn!(cause = %chain(&error), "The keys of the token issuer could not be fetched yet");
            }
            Ok::<_, Infallible>(())
        });
    }
}

fn view<E: Event>(bus: &Bus, lifecycle: &Lifecycle) -> event_bus::View<E> {
    let (view, task) = bus.view::<E>(lifecycle.stopping());
    lifecycle.spawn(format!("gateway-view-{}", E::TOPIC.name), task);
    view
}
