//! The gateway as requests and the follower of routes share it.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use ::web::Verifier;
use actix_web::web::{self, Data, ServiceConfig};
use arc_swap::ArcSwap;
use domain::{
    id::Generation,
    name::{ApiName, EnvironmentName, TenantName},
};
use events::{AckOutcome, Envelope, GatewayAck, GatewayRoute};
use jiff::Timestamp;
use reqwest::Client;
use runtime::{Clock, HttpSettings, Stopping, http_client};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::{
    catalogue::Catalogue,
    mcp,
    metrics::Metrics,
    proxy,
    routes::{Refusal, Route, Table, compile},
    settings::McpSettings,
    upstream::Executor,
};

/// Whole exchanges have no limit here; the head of an answer and each read of it have one.
const EXCHANGE: std::time::Duration = std::time::Duration::from_hours(24);

/// Which gateway this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The environment that it serves.
    pub environment: EnvironmentName,
    /// This replica.
    pub replica: String,
    /// When it started.
    pub started_at: Timestamp,
    /// The issuer of the tokens that it accepts.
    pub issuer: String,
    /// Whether it listens on loopback, where other names than local ones are suspicious.
    pub on_loopback: bool,
}

/// What serves requests; clones are the same one.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    identity: Identity,
    mcp: McpSettings,
    verifier: Verifier,
    catalogue: Catalogue,
    metrics: Metrics,
    clock: Arc<dyn Clock>,
    stopping: Stopping,
    table: ArcSwap<Table>,
    changing: Mutex<()>,
    changed: watch::Sender<()>,
    clients: Vec<Client>,
    handed_out: AtomicUsize,
}

impl Gateway {
    /// A gateway without routes, with connections of their own for `workers` workers.
    #[expect(clippy::too_many_arguments, reason = "each part is a different thing, and there is one caller")]
    pub fn new(
        identity: Identity,
        mcp: McpSettings,
        workers: usize,
        http: &HttpSettings,
        verifier: Verifier,
        catalogue: Catalogue,
        metrics: &runtime::Metrics,
        clock: Arc<dyn Clock>,
        stopping: Stopping,
    ) -> reqwest::Result<Self> {
        let http = HttpSettings { timeout: EXCHANGE, unpack: false, ..http.clone() };
        let clients = (0..workers.max(1)).map(|_| http_client(&http)).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Inner {
            metrics: Metrics::register(metrics, identity.environment.as_str()),
            identity,
            mcp,
            verifier,
            catalogue,
            clock,
            stopping,
            table: ArcSwap::default(),
            changing: Mutex::default(),
            changed: watch::Sender::default(),
            clients,
            handed_out: AtomicUsize::new(0),
        })))
    }

    /// Adds the routes of the service to a worker.
    pub fn configure(&self, config: &mut ServiceConfig) {
        let turn = self.0.handed_out.fetch_add(1, Ordering::Relaxed) % self.0.clients.len();
        let executor = Executor::new(self.0.clients[turn].clone(), self.0.metrics.clone());
        config.app_data(Data::new(self.clone())).app_data(Data::new(executor));
        // Routes are tried in turn, so the one without a pattern comes first.
        mcp::routes(config);
        config.service(web::resource("/apis/{path}*").to(proxy::forward));
    }

    /// Takes in changes of `gateway-routes` in their order, and says what became of each.
    ///
    /// Compiles documents, so it may take long; routes of other environments are passed over.
    pub fn apply(&self, changes: Vec<(String, Option<Arc<Envelope<GatewayRoute>>>)>) -> Vec<GatewayAck> {
        let _turn = self.0.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut acks = Vec::new();
        let mut taken: Vec<(String, TenantName, Option<Arc<Route>>)> = Vec::new();
        for (key, envelope) in changes {
            let Some((tenant, api)) = self.own(&key) else { continue };
            let path = format!("{tenant}/{api}");
            let former = taken.iter().rev().find(|(known, _, _)| *known == path);
            let former = match former {
                Some((_, _, route)) => route.clone(),
                None => self.table().route(&path).cloned(),
            };
            let ack = |generation, outcome, message| self.ack(&tenant, &api, generation, outcome, message);
            let Some(envelope) = envelope else {
                let generation = former.map(|route| route.generation).unwrap_or_default();
                info!(api = path, "Serving `{path}` no more");
                acks.push(ack(generation, AckOutcome::Removed, None));
                taken.push((path, tenant, None));
                continue;
            };
            let offered = envelope.event.generation;
            match accept(&envelope.event, former.as_deref()) {
                Ok(route) => {
                    info!(api = path, generation = %offered, tools = route.tools.len(), "Serving `{path}`");
                    acks.push(ack(offered, AckOutcome::Applied, None));
                    taken.push((path, tenant, Some(Arc::new(route))));
                }
                Err(refusal) => {
                    let reason = refusal.to_string();
                    warn!(api = path, generation = %offered, reason, "Refusing a route of `{path}`: {reason}");
                    acks.push(ack(offered, AckOutcome::Refused, Some(reason)));
                }
            }
        }
        if !taken.is_empty() {
            self.swap(taken);
        }
        acks
    }

    fn swap(&self, taken: Vec<(String, TenantName, Option<Arc<Route>>)>) {
        let former = self.table();
        let table = Arc::new(former.with(taken));
        self.0.metrics.served(table.routes().count(), table.tool_count());
        for route in former.routes() {
            if table.route(&route.upstream.label).is_none() {
                self.0.metrics.forget(route);
            }
        }
        self.0.table.store(table);
        self.0.changed.send_replace(());
    }

    /// Tenant and API of a key, if it is of the environment that is served.
    fn own(&self, key: &str) -> Option<(TenantName, ApiName)> {
        let mut parts = key.split('/');
        let (tenant, api, environment) = (parts.next()?, parts.next()?, parts.next()?);
        let own = environment == self.0.identity.environment.as_str() && parts.next().is_none();
        if own { Some((tenant.parse().ok()?, api.parse().ok()?)) } else { None }
    }

    fn ack(
        &self,
        tenant: &TenantName,
        api: &ApiName,
        generation: Generation,
        outcome: AckOutcome,
        message: Option<String>,
    ) -> GatewayAck {
        GatewayAck {
            tenant: tenant.clone(),
            api: api.clone(),
            environment: self.0.identity.environment.clone(),
            replica: self.0.identity.replica.clone(),
            generation,
            outcome,
            message,
            at: self.0.clock.now(),
        }
    }

    /// Which gateway this is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }

    pub(crate) fn table(&self) -> Arc<Table> {
        self.0.table.load_full()
    }

    /// Fires after every change of the table.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }

    pub(crate) fn mcp(&self) -> &McpSettings {
        &self.0.mcp
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn stopping(&self) -> &Stopping {
        &self.0.stopping
    }
}

/// The same generation again is taken: a replica that reads the topic anew says what it serves.
fn accept(record: &GatewayRoute, former: Option<&Route>) -> Result<Route, Refusal> {
    if let Some(former) = former
        && record.generation < former.generation
    {
        return Err(Refusal::Older { offered: record.generation, served: former.generation });
    }
    compile(record)
}
