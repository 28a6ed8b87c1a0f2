//! The gateway that STOA brings: its routes are records, and its replicas say what they serve.

mod agreement;
mod fleet;
mod listen;
mod probe;
mod route;
mod written;

use std::{sync::Arc, time::Duration};

use domain::{
    Classify as _, Disposition, Failure,
    id::{Generation, derived_id},
};
use event_bus::{Bus, Outgoing, View};
use events::{DeployOrder, DeploymentState, Envelope, GatewayRoute, OrderKind};
use openapi::Dialect;
use runtime::chain;
use saga::{Attempt, Decision, StepError};
use tracing::info;
use uuid::Uuid;

use self::{agreement::REFUSED, route::Plan};
pub(crate) use self::{
    fleet::Fleet,
    listen::{OnAck, OnInstance},
    probe::Prober,
    written::Written,
};
use crate::{
    metrics::Metrics,
    target::{Capabilities, Patience, Target},
};

/// What it can take: what crate `openapi` reads.
pub(crate) const CAPABILITIES: Capabilities =
    Capabilities { dialects: &[Dialect::V2_0, Dialect::V3_0, Dialect::V3_1] };

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
    pub(crate) written: Written,
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
                self.written.expect(&key, None);
                Ok(vec![Outgoing::removal::<GatewayRoute>(&key)])
            }
            Plan::Put(route) => {
                attempt.note(format!("writing the route in generation {}", route.generation));
                let envelope = self.bus.envelope(record_id(&order.event, "gateway-routes"), *route);
                let record = self.bus.prepare(&envelope).await.map_err(|error| unwritable(&error))?;
                self.written.expect(&key(&order.event), Some(envelope.id));
                Ok(vec![record])
            }
        }
    }

    async fn current(&self, order: &DeployOrder) -> Option<Arc<Envelope<GatewayRoute>>> {
        let key = key(order);
        self.routes.caught_up().await;
        self.written.read_back(&self.routes, &key).await;
        self.routes.get(&key)
    }
}

fn key(order: &DeployOrder) -> String {
    route::key(&order.tenant, &order.api, &order.environment)
}

/// The id of a record that an order causes.
fn record_id(order: &DeployOrder, what: &str) -> Uuid {
    derived_id(&[&order.order_id.to_string(), what])
}

fn unwritable(error: &event_bus::Error) -> StepError {
    match error.disposition() {
        Disposition::Retry => StepError::retry("broker", chain(error)),
        Disposition::Reject => StepError::reject("invalid-route", chain(error)),
    }
}

impl Target for Builtin {
    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
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

    async fn set_aside(&self, order: &Envelope<DeployOrder>) -> Result<Vec<Outgoing>, StepError> {
        let order = &order.event;
        let current = self.current(order).await;
        let Some(former) = route::former(order, current.as_ref().map(|route| &route.event)) else {
            return Ok(Vec::new());
        };
        let (key, id) = (route::former_key(&key(order)), record_id(order, "former"));
        let record = self
            .bus
            .prepare(&self.bus.envelope(id, former.clone()))
            .await
            .map_err(|error| unwritable(&error))?;
        self.written.expect(&key, Some(id));
        Ok(vec![record.under_key(&key)])
    }

    async fn ended(&self, order: &DeployOrder, decision: &Decision) -> Result<Vec<Outgoing>, Failure> {
        let key = key(order);
        let (aside, id) = (route::former_key(&key), record_id(order, "former"));
        let refused = decision.problem.as_ref().is_some_and(|problem| problem.reason == REFUSED);
        self.routes.caught_up().await;
        let expected = self.written.expects(&aside, id);
        if refused && expected {
            self.written.read_back(&self.routes, &aside).await;
        }
        // What stands there is of this order, or none of its business.
        let former = self.routes.get(&aside).filter(|former| former.id == id);
        if former.is_none() && !expected {
            return Ok(Vec::new());
        }
        let mut records = vec![Outgoing::removal::<GatewayRoute>(&aside)];
        if let Some(former) = former.filter(|_| refused) {
            info!(generation = %order.generation, "Bringing back what stood at {key} before it was refused");
            let id = record_id(order, "restored");
            let envelope = self.bus.envelope(id, route::restored(order, &former.event));
            records.push(self.bus.prepare(&envelope).await?);
            self.written.expect(&key, Some(id));
        }
        Ok(records)
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
        let wish =
            agreement::Wish { key: key(order), environment: order.environment.clone(), aim: Aim::of(order) };
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
