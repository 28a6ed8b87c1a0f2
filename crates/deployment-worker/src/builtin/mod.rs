//! The gateway that STOA brings: its routes are records, and its replicas say what they serve.

mod agreement;
mod fleet;
mod listen;
mod probe;
mod route;

use std::{sync::Arc, time::Duration};

use domain::{
    Classify as _, Disposition,
    id::{Generation, derived_id},
};
use event_bus::{Bus, Outgoing, View};
use events::{DeployOrder, DeploymentState, Envelope, GatewayRoute, OrderKind};
use runtime::chain;
use saga::{Attempt, StepError};

use self::route::Plan;
pub(crate) use self::{
    fleet::Fleet,
    listen::{OnAck, OnInstance},
    probe::Prober,
};
use crate::{
    metrics::Metrics,
    target::{BUILTIN, Capabilities, Patience, Target},
};

/// How long writing a route may take, the wait for the view of what stands there included.
const WRITE: Duration = Duration::from_secs(30);
/// What an attempt gets beyond the waits that are inside it.
const MARGIN: Duration = Duration::from_secs(5);

/// What an order shall have brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    /// This generation, or a newer one, is served.
    Served(Generation),
    /// The API is served no more, or in a generation newer than the removal.
    Gone(Generation),
}

impl Aim {
    fn of(order: &DeployOrder) -> Self {
        match order.kind {
            OrderKind::Remove => Self::Gone(order.generation),
            _ => Self::Served(order.generation),
        }
    }
}

/// The built-in gateway, all environments of it.
pub(crate) struct Builtin {
    pub(crate) bus: Bus,
    pub(crate) routes: View<GatewayRoute>,
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) prober: Prober,
    pub(crate) acknowledge_within: Duration,
    pub(crate) metrics: Metrics,
}

impl Builtin {
    /// The record that carries a plan out; none when a newer route stands there, which is never lowered.
    async fn write(
        &self,
        order: &Envelope<DeployOrder>,
        plan: Plan,
        attempt: &Attempt,
    ) -> Result<Vec<Outgoing>, StepError> {
        match plan {
            Plan::Keep(newer) => {
                attempt.note(format!("the route is of generation {newer} already and stays"));
                Ok(Vec::new())
            }
            Plan::Remove(key) => {
                attempt.note(format!("removing the route {key}"));
                Ok(vec![Outgoing::removal::<GatewayRoute>(&key)])
            }
            Plan::Put(route) => {
                attempt.note(format!("writing the route in generation {}", route.generation));
                let id = derived_id(&[&order.event.order_id.to_string(), "gateway-routes"]);
                let envelope = self.bus.envelope(id, *route);
                let record =
                    self.bus.prepare(&envelope).await.map_err(|error| match error.disposition() {
                        Disposition::Retry => StepError::retry("broker", chain(&error)),
                        Disposition::Reject => StepError::reject("invalid-route", chain(&error)),
                    })?;
                Ok(vec![record])
            }
        }
    }

    async fn current(&self, order: &DeployOrder) -> Option<Arc<Envelope<GatewayRoute>>> {
        self.routes.caught_up().await;
        self.routes.get(&route::key(&order.tenant, &order.api, &order.environment))
    }
}

impl Target for Builtin {
    fn capabilities(&self) -> Capabilities {
        BUILTIN
    }

    fn patience(&self) -> Patience {
        Patience {
            write: WRITE,
            acknowledge: self.acknowledge_within + MARGIN,
            verify: self.prober.at_most() + MARGIN,
        }
    }

    async fn apply(
        &self,
        order: &Envelope<DeployOrder>,
        attempt: &Attempt,
    ) -> Result<Vec<Outgoing>, StepError> {
        let current = self.current(&order.event).await;
        let plan = route::apply(&order.event, current.as_ref().map(|route| &route.event));
        let plan =
            plan.ok_or_else(|| StepError::reject("invalid-document", "the order brings no content"))?;
        self.write(order, plan, attempt).await
    }

    async fn remove(
        &self,
        order: &Envelope<DeployOrder>,
        attempt: &Attempt,
    ) -> Result<Vec<Outgoing>, StepError> {
        let current = self.current(&order.event).await;
        let plan = route::remove(&order.event, current.as_ref().map(|route| &route.event));
        self.write(order, plan, attempt).await
    }

    async fn acknowledged(&self, order: &DeployOrder, attempt: &Attempt) -> Result<(), StepError> {
        let begun = tokio::time::Instant::now();
        let wish = agreement::Wish {
            key: route::key(&order.tenant, &order.api, &order.environment),
            environment: order.environment.clone(),
            aim: Aim::of(order),
        };
        let clock = self.bus.clock();
        // Right after a start nobody can tell who is there.
        self.fleet.known().await;
        let left = Duration::try_from(attempt.until.duration_since(clock.now())).unwrap_or_default();
        // An answer that comes just before the cut says more than the cut.
        let within = self.acknowledge_within.min(left.saturating_sub(Duration::from_millis(100)));
        let replicas = agreement::reached(&self.fleet, &wish, &**clock, within).await?;
        self.metrics.acknowledged.observe(begun.elapsed().as_secs_f64());
        attempt.note(format!("acknowledged by {}", replicas.join(", ")));
        Ok(())
    }

    async fn verify(&self, order: &DeployOrder, attempt: &Attempt) -> Result<(), StepError> {
        let seen = self.prober.probe(order, Aim::of(order)).await?;
        attempt.note(seen);
        Ok(())
    }

    fn drifted(&self, state: &DeploymentState) -> bool {
        if !self.routes.is_caught_up() {
            return false;
        }
        let current = self.routes.get(&route::key(&state.tenant, &state.api, &state.environment));
        route::drifted(state, current.as_ref().map(|route| &route.event))
    }
}
