//! Puts the service together.

use std::{convert::Infallible, net::SocketAddr, pin::Pin, sync::Arc};

use anyhow::Context as _;
use event_bus::{Bus, From, View};
use events::{GatewayAck, GatewayInstance, GatewayRoute};
use runtime::{
    Clock, HttpSettings, Lifecycle, Metrics as Registry, Readiness, SystemClock, SystemRandom, http_client,
};
use saga::{Hook, Saga};
use web::{Parts, Server};

use crate::{
    builtin::{Builtin, Fleet, OnAck, OnInstance, Prober, Written},
    deployments::Deployments,
    metrics::Metrics,
    settings::{SERVICE, Settings},
    targets::Targets,
};

type Task = Pin<Box<dyn Future<Output = Result<(), event_bus::Error>> + Send>>;

/// The service, connected and bound, and not running yet.
pub struct App {
    bus: Bus,
    saga: Saga<Deployments>,
    routes: View<GatewayRoute>,
    routes_task: Task,
    fleet: Arc<Fleet>,
    server: Server,
    readiness: Readiness,
}

impl App {
    /// Connects to the broker and binds; nothing runs before [`App::start`] is given the same lifecycle.
    pub async fn build(settings: Settings, lifecycle: &Lifecycle) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random = Arc::new(SystemRandom::default());
        let registry = Registry::new(SERVICE);
        let stopping = lifecycle.stopping();
        let bus = Bus::connect(settings.bus, SERVICE, Arc::clone(&clock), &registry);
        let bus = bus.await.context("connecting to the broker")?;

        let (routes, routes_task) = bus.view::<GatewayRoute>(stopping.clone());
        let deploy = settings.deploy;
        let metrics = Metrics::register(&registry);
        let fleet = Arc::new(Fleet::default());
        let http = HttpSettings { timeout: deploy.probe_timeout, ..settings.http };
        let client = http_client(&http).context("building the client of gateways")?;
        let builtin = Builtin {
            bus: bus.clone(),
            routes: routes.clone(),
            written: Written::default(),
            fleet: Arc::clone(&fleet),
            prober: Prober::new(
                client,
                deploy.probe_timeout,
                deploy.probe_attempts,
                random.clone(),
                metrics.clone(),
            ),
            acknowledge_within: deploy.acknowledge_within,
            metrics: metrics.clone(),
        };
        let work = Deployments::new(bus.clone(), Targets { builtin }, deploy.attention_after, metrics);
        let patience = saga::Settings {
            attention_after: deploy.attention_after,
            reconcile_every: deploy.reconcile_every,
            at_once: deploy.at_once,
            ..saga::Settings::default()
        };
        let saga = Saga::new(&bus, SERVICE, work, patience, &registry, lifecycle.spawner(), stopping.clone());

        let readiness = Readiness::new(stopping);
        let parts =
            Parts { service: SERVICE, readiness: readiness.clone(), metrics: registry, clock, random };
        let server = Server::bind(&settings.server, parts, |_| {});
        let server = server.with_context(|| format!("listening on {}", settings.server.address))?;
        Ok(Self { bus, saga, routes, routes_task: Box::pin(routes_task), fleet, server, readiness })
    }

    /// Ends the work on a partition where the hook says, as a kill would; for tests of what survives one.
    #[must_use]
    pub fn with_hook(self, hook: Hook) -> Self {
        Self { saga: self.saga.with_hook(hook), ..self }
    }

    /// Where health and metrics are served.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Whether it is ready: the gates are `routes` and `gateways`, open when what stood in the topics is read.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// Hands everything that runs to `lifecycle`, which several services may share.
    pub fn start(self, lifecycle: &Lifecycle) {
        let stopping = lifecycle.stopping();
        let (bus, fleet) = (self.bus, self.fleet);
        lifecycle.spawn("worker-routes", self.routes_task);
        let on_instance = OnInstance(Arc::clone(&fleet));
        let instances = bus.follow::<GatewayInstance, _>(From::Beginning, on_instance, stopping.clone());
        lifecycle.spawn("worker-gateway-instances", instances);
        let acks = bus.follow::<GatewayAck, _>(From::Beginning, OnAck(Arc::clone(&fleet)), stopping.clone());
        lifecycle.spawn("worker-gateway-acks", acks);

        let (routes_gate, gateways_gate) = (self.readiness.gate("routes"), self.readiness.gate("gateways"));
        let (routes, waits) = (self.routes, stopping.clone());
        lifecycle.spawner().job("worker-ready", async move {
            let read = async {
                routes.caught_up().await;
                routes_gate.open();
                fleet.known().await;
                gateways_gate.open();
            };
            let _ = waits.unless_requested(read).await;
            Ok::<_, Infallible>(())
        });
        lifecycle.spawn("worker-orders", self.saga.run(SERVICE));
        lifecycle.spawn("worker-http", self.server.run(stopping));
    }
}
