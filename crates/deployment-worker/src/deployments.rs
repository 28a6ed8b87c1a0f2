//! Deploy orders as durable work: preflight, route, acknowledge, probe.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::Failure;
use event_bus::{Bus, Error, Outgoing};
use events::{DeployOrder, DeploymentState, Envelope, Event, OrderKind};
use jiff::Timestamp;
use saga::{Attempt, Kind, Memory, Phase, Step, StepError, Ticket, Transition, Work};
use tokio::task::spawn_blocking;
use tracing::{info, warn};
use uuid::Uuid;

use crate::{
    history::{self, ACKNOWLEDGE, Acting, PREFLIGHT, PROBE, ROUTE},
    memory,
    metrics::Metrics,
    preflight::{self, Checked},
    target::Target,
    targets::Targets,
};

/// How long compiling the largest documents may take.
const PREFLIGHT_TIMEOUT: Duration = Duration::from_mins(1);

/// What deploys.
pub(crate) struct Deployments {
    bus: Bus,
    targets: Targets,
    attention_after: u32,
    metrics: Metrics,
    /// The attempts that are being performed in this process.
    acting: Mutex<HashMap<Uuid, Acting>>,
}

impl Deployments {
    pub(crate) fn new(bus: Bus, targets: Targets, attention_after: u32, metrics: Metrics) -> Self {
        Self { bus, targets, attention_after, metrics, acting: Mutex::default() }
    }

    fn target(&self, order: &DeployOrder) -> Result<&impl Target, StepError> {
        self.targets.of(order.target.kind).ok_or_else(|| {
            let kind = format!("{:?}", order.target.kind).to_lowercase();
            StepError::reject(
                "unsupported-gateway",
                format!("this version drives no gateway of kind `{kind}`"),
            )
        })
    }

    async fn preflight(
        &self,
        order: &Envelope<DeployOrder>,
        attempt: &Attempt,
    ) -> Result<Vec<Outgoing>, StepError> {
        let capabilities = self.target(&order.event)?.capabilities();
        let checked = order.event.clone();
        let checked = spawn_blocking(move || preflight::check(&checked, &capabilities)).await;
        let checked = checked.map_err(|error| StepError::reject("invalid-document", error.to_string()))?;
        if let Checked::Content { dialect, tools } = checked? {
            attempt.note(format!("OpenAPI {dialect}, {tools} tools"));
        }
        Ok(Vec::new())
    }

    /// What makes the target do what the order wants.
    async fn write(
        &self,
        order: &Envelope<DeployOrder>,
        attempt: &Attempt,
    ) -> Result<Vec<Outgoing>, StepError> {
        let target = self.target(&order.event)?;
        match order.event.kind {
            OrderKind::Remove => target.remove(order, attempt).await,
            _ => target.apply(order, attempt).await,
        }
    }

    /// The same, with what may have to come back.
    async fn route(
        &self,
        order: &Envelope<DeployOrder>,
        attempt: &Attempt,
    ) -> Result<Vec<Outgoing>, StepError> {
        // First, because it looks at what the route is written over.
        let mut aside = match order.event.kind {
            OrderKind::Remove => Vec::new(),
            _ => self.target(&order.event)?.set_aside(order).await?,
        };
        let mut records = self.write(order, attempt).await?;
        if !records.is_empty() {
            records.append(&mut aside);
        }
        Ok(records)
    }

    fn acting(&self) -> MutexGuard<'_, HashMap<Uuid, Acting>> {
        self.acting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn prepare<E: Event>(&self, at: Timestamp, (id, event): (Uuid, E)) -> Result<Outgoing, Error> {
        let envelope = Envelope { time: at, ..self.bus.envelope(id, event) };
        self.bus.prepare(&envelope).await
    }
}

impl Work for Deployments {
    type Order = DeployOrder;
    type State = DeploymentState;

    fn ticket(&self, order: &DeployOrder) -> Ticket {
        ticket(order)
    }

    fn steps(&self, order: &DeployOrder) -> Vec<Step> {
        let step = |name, timeout| Step { name, idempotent: true, timeout };
        let mut steps = vec![step(PREFLIGHT, PREFLIGHT_TIMEOUT)];
        // Preflight refuses what has no target.
        if let Some(target) = self.targets.of(order.target.kind) {
            let patience = target.patience();
            steps.extend([
                step(ROUTE, patience.write),
                step(ACKNOWLEDGE, patience.acknowledge),
                step(PROBE, patience.verify),
            ]);
        }
        steps
    }

    fn state(&self, order: &DeployOrder, memory: &Memory) -> DeploymentState {
        memory::write(order, memory)
    }

    fn memory(&self, state: &DeploymentState) -> Option<Memory> {
        memory::read(state)
    }

    async fn records(
        &self,
        order: &Envelope<DeployOrder>,
        transition: &Transition,
    ) -> Result<Vec<Outgoing>, Failure> {
        let (order, memory) = (&order.event, &transition.memory);
        let ended = history::ends_attempt(memory).then(|| self.acting().remove(&memory.id)).flatten();
        let mut records = Vec::new();
        for step in history::steps(order, transition, ended.as_ref()) {
            records.push(self.prepare(memory.at, step).await?);
        }
        if let Some(told) = history::attention(order, memory, self.attention_after) {
            records.push(self.prepare(memory.at, told).await?);
        }
        if let Phase::Decided(decision) = &memory.phase {
            records.push(self.prepare(memory.at, history::result(order, transition, decision)).await?);
            if let Some(target) = self.targets.of(order.target.kind) {
                records.extend(target.ended(order, decision).await?);
            }
        }
        Ok(records)
    }

    async fn lost(&self, state: &DeploymentState, ended: &Memory) -> Result<Vec<Outgoing>, Failure> {
        match history::lost(state, ended) {
            Some(result) => Ok(vec![self.prepare(ended.at, result).await?]),
            None => Ok(Vec::new()),
        }
    }

    async fn perform(
        &self,
        step: &str,
        order: &Envelope<DeployOrder>,
        attempt: &Attempt,
    ) -> Result<Vec<Outgoing>, StepError> {
        let acting = Acting { step: step.to_owned(), attempt: attempt.number };
        self.acting().insert(order.event.order_id, acting);
        let about = order.event.subject();
        info!(generation = %order.event.generation, "Step `{step}` of {about}");
        match step {
            PREFLIGHT => self.preflight(order, attempt).await,
            ROUTE => self.route(order, attempt).await,
            ACKNOWLEDGE => {
                self.target(&order.event)?.acknowledged(&order.event, attempt).await.map(|()| Vec::new())
            }
            PROBE => self.target(&order.event)?.verify(&order.event, attempt).await.map(|()| Vec::new()),
            other => {
                // A newer version began it; it may come back.
                Err(StepError::retry("unknown-step", format!("this version knows no step `{other}`")))
            }
        }
    }

    fn drifted(&self, state: &DeploymentState) -> bool {
        // The state does not say which product it was; other products than this one write no routes.
        self.targets.builtin.drifted(state)
    }

    async fn repair(&self, order: &Envelope<DeployOrder>) -> Result<Vec<Outgoing>, Failure> {
        let now = self.bus.clock().now();
        let attempt = Attempt::first(order.event.deadline);
        let mut records = match self.write(order, &attempt).await {
            Ok(records) => records,
            Err(error) => {
                let about = order.event.subject();
                let reason = error.problem.reason;
                warn!(reason, "Could not repair {about}: {}", error.problem.message);
                return Ok(Vec::new());
            }
        };
        if records.is_empty() {
            return Ok(records);
        }
        self.metrics.repaired.inc();
        records.push(self.prepare(now, history::repaired(&order.event, now)).await?);
        Ok(records)
    }
}

fn ticket(order: &DeployOrder) -> Ticket {
    let kind = match (order.kind, order.cancels) {
        (OrderKind::Cancel, Some(target)) => Kind::Cancel(target),
        _ => Kind::Run,
    };
    Ticket {
        id: order.order_id,
        key: memory::key(&order.tenant, &order.api, &order.environment, &order.gateway),
        generation: order.generation,
        deadline: order.deadline,
        kind,
    }
}
