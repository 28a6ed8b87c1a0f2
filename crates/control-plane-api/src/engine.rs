//! Everything that runs on a broker: the relay, the projections, the request topics.
//!
//! It starts when the broker is the one that the store knows, or after a recovery has made it so. Until then the
//! service answers reads, is not ready, and touches nothing.

use std::{convert::Infallible, sync::Arc, time::Duration};

use domain::id::Epoch;
use event_bus::{Bus, Consumption};
use events::{ApiRegistration, DeployRequest, DeployResult, DeploymentStep, GitopsNudge, NudgeReason};
use gitops::{Repository, Trailers};
use runtime::{Clock, Gate, Random, Spawner, Stopping, chain};
use tracing::{info, warn};

use crate::{
    desired::DesiredState,
    metrics::Metrics,
    projections::{OnDeployResult, OnDeploymentStep, Projection},
    relay::{Mirror, OnNudge, Relay, RelayError},
    requests::{Door, OnApiRegistration, OnDeployRequest},
    settings::RelaySettings,
    store::Store,
    wake::Wake,
};

/// The consumer group of everything but the relay.
const GROUP: &str = "control-plane-api";
/// The consumer group whose one member is the relay.
const RELAY: &str = "control-plane-relay";

/// How often a replica looks for what the relay of another one did.
const FOLLOW: Duration = Duration::from_millis(500);

/// What runs on a broker, before it does.
#[derive(Clone)]
pub(crate) struct Engine {
    pub(crate) store: Store,
    pub(crate) repository: Repository,
    pub(crate) trailers: Trailers,
    pub(crate) bus: Bus,
    pub(crate) desired: DesiredState,
    pub(crate) wake: Wake,
    pub(crate) door: Door,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) settings: RelaySettings,
    pub(crate) poll: Duration,
    /// The repository's name in records.
    pub(crate) name: String,
    pub(crate) spawner: Spawner,
    pub(crate) stopping: Stopping,
    /// Open while the broker is the one that the store knows.
    pub(crate) gate: Gate,
    pub(crate) metrics: Metrics,
}

impl Engine {
    /// The relay of an epoch, with what the store remembers, reading the catalogue topics back.
    pub(crate) async fn relay(&self, epoch: Epoch) -> Result<Arc<Relay>, RelayError> {
        let mirror = Mirror::default();
        mirror.start(&self.bus, &self.spawner, &self.stopping);
        let parts = crate::relay::Parts {
            store: self.store.clone(),
            repository: self.repository.clone(),
            trailers: self.trailers.clone(),
            bus: self.bus.clone(),
            desired: self.desired.clone(),
            wake: self.wake.clone(),
            mirror,
            clock: Arc::clone(&self.clock),
            settings: self.settings.clone(),
            epoch,
            name: self.name.clone(),
            holder: self.random.id(self.clock.now()).to_string(),
            metrics: self.metrics.clone(),
        };
        Ok(Arc::new(Relay::load(parts).await?))
    }

    /// Starts the consumers and the timer, with this relay.
    pub(crate) fn start(&self, epoch: Epoch, relay: Arc<Relay>) {
        let (store, wake, metrics) = (self.store.clone(), self.wake.clone(), self.metrics.clone());
        let projection = Projection { store, epoch, wake, metrics };
        let (follower, stopping) = (Arc::clone(&relay), self.stopping.clone());
        self.spawner
            .spawn("control-plane-api: follow the relay", async move { follow(&follower, &stopping).await });
        self.consume::<GitopsNudge, _>(RELAY, OnNudge(relay));
        self.consume::<DeploymentStep, _>(GROUP, OnDeploymentStep(projection.clone()));
        self.consume::<DeployResult, _>(GROUP, OnDeployResult(projection));
        self.consume::<DeployRequest, _>(GROUP, OnDeployRequest(self.door.clone()));
        self.consume::<ApiRegistration, _>(GROUP, OnApiRegistration(self.door.clone()));
        self.spawner.spawn("control-plane-api: look at Git", self.clone().look_at_times());
        self.gate.open();
        info!(%epoch, "Running on broker {}", self.bus.cluster_id());
    }

    fn consume<E: events::Event, H: event_bus::Handle<E>>(&self, group: &str, handler: H) {
        let task = self.bus.consume::<E, H>(group, handler, Consumption::Projection, self.stopping.clone());
        self.spawner.spawn(format!("control-plane-api: {}", E::TOPIC.name), task);
    }

    /// Nudges the relay at the start and then at times: webhooks and nudges may be lost.
    async fn look_at_times(self) -> Result<(), Infallible> {
        loop {
            let nudge =
                GitopsNudge { repository: self.name.clone(), reason: NudgeReason::Timer, commit: None };
            let envelope = self.bus.envelope(self.random.id(self.clock.now()), nudge);
            if let Err(error) = self.bus.producer().publish(&envelope).await {
                warn!(error = chain(&error), "Could not nudge the relay");
            }
            if self.stopping.unless_requested(tokio::time::sleep(self.poll)).await.is_none() {
                return Ok(());
            }
        }
    }
}

/// Keeps reads fresh while another replica is the relay.
async fn follow(relay: &Relay, stopping: &Stopping) -> Result<(), Infallible> {
    while stopping.unless_requested(tokio::time::sleep(FOLLOW)).await.is_some() {
        if let Err(error) = relay.catch_up().await {
            warn!(error = chain(&error), "Could not follow the relay");
        }
    }
    Ok(())
}
