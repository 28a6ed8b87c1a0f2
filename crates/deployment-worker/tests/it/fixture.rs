//! Orders, a worker, and what it says.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use deployment_worker::{App, Settings};
use domain::{
    Failure,
    id::{Digest, Epoch, Generation, Revision, derived_id},
};
use event_bus::{Bus, Delivery, From, Handle, testing::FakeRegistry};
use events::{
    Authentication, DeployOrder, DeployResult, DeploymentPhase, DeploymentState, DeploymentStep, Document,
    Envelope, GatewayKind, GatewayRoute, GatewayTarget, OrderKind, Policies, StepPhase, Upstream,
};
use runtime::{Clock as _, Lifecycle, Metrics, Random as _, Source, SystemClock, SystemRandom};
use saga::Hook;
use tokio::sync::{Mutex, MutexGuard, watch};
use uuid::Uuid;

/// There is one group of workers, so tests take turns.
static TURN: Mutex<()> = Mutex::const_new(());

pub(crate) struct Fixture {
    pub(crate) bus: Bus,
    source: Source,
    heard: Heard,
    _following: Lifecycle,
    _registry: FakeRegistry,
    _turn: MutexGuard<'static, ()>,
}

/// What a `read_committed` reader has seen.
#[derive(Clone, Default)]
pub(crate) struct Heard {
    results: Arc<std::sync::Mutex<Vec<DeployResult>>>,
    steps: Arc<std::sync::Mutex<Vec<DeploymentStep>>>,
    /// Topics that were read to the end that they had at first.
    read: watch::Sender<u32>,
}

impl Heard {
    pub(crate) fn results(&self, order: &DeployOrder) -> Vec<DeployResult> {
        let results = self.results.lock().unwrap();
        results.iter().filter(|result| result.order_id == order.order_id).cloned().collect()
    }

    /// Every record of an order's history, by their numbers.
    pub(crate) fn steps(&self, order: &DeployOrder) -> Vec<DeploymentStep> {
        let steps = self.steps.lock().unwrap();
        let mut own: Vec<_> = steps.iter().filter(|step| step.order_id == order.order_id).cloned().collect();
        own.sort_by_key(|step| step.sequence);
        own
    }

    /// Step, phase and message of every record of an order's history.
    pub(crate) fn history(&self, order: &DeployOrder) -> Vec<(String, StepPhase, Option<String>)> {
        self.steps(order).into_iter().map(|step| (step.step, step.phase, step.message)).collect()
    }
}

impl Handle<DeployResult> for Heard {
    async fn handle(&self, envelope: &Envelope<DeployResult>, _: &Delivery) -> Result<(), Failure> {
        self.results.lock().unwrap().push(envelope.event.clone());
        Ok(())
    }

    async fn caught_up(&self) {
        self.read.send_modify(|topics| *topics += 1);
    }
}

impl Handle<DeploymentStep> for Heard {
    async fn handle(&self, envelope: &Envelope<DeploymentStep>, _: &Delivery) -> Result<(), Failure> {
        self.steps.lock().unwrap().push(envelope.event.clone());
        Ok(())
    }

    async fn caught_up(&self) {
        self.read.send_modify(|topics| *topics += 1);
    }
}

/// Reads results and steps from their beginning for as long as the lifecycle is kept.
fn follow(bus: &Bus) -> (Lifecycle, Heard) {
    let (following, heard) = (Lifecycle::manual(), Heard::default());
    let (start, stopping) = (From::Beginning, following.stopping());
    following.spawn("results", bus.follow::<DeployResult, _>(start, heard.clone(), stopping.clone()));
    following.spawn("steps", bus.follow::<DeploymentStep, _>(start, heard.clone(), stopping));
    (following, heard)
}

impl Fixture {
    pub(crate) async fn new() -> Option<Self> {
        let turn = TURN.lock().await;
        let servers = crate::broker::bootstrap_servers().await?;
        let registry = FakeRegistry::start().unwrap();
        let settings = event_bus::Settings::local(&servers, registry.url());
        let metrics = Metrics::new("test");
        let bus = Bus::connect(settings, "control-plane-api", Arc::new(SystemClock), &metrics).await.unwrap();
        // A broker given from outside may hold records of earlier runs, with the ids of the lock file.
        bus.registry().restore().await.unwrap();
        bus.topics().apply(events::topics::ALL).await.unwrap();
        let source = Source::given([
            ("kafka.bootstrap_servers", servers.as_str()),
            ("schema_registry.url", registry.url().as_str()),
            ("kafka.session_timeout", "1500ms"),
            ("kafka.heartbeat_interval", "300ms"),
            ("server.address", "127.0.0.1:0"),
            ("deploy.acknowledge_within", "5s"),
            ("deploy.probe_timeout", "1s"),
            ("deploy.reconcile_every", "300ms"),
        ]);
        let (following, heard) = follow(&bus);
        Some(Self { bus, source, heard, _following: following, _registry: registry, _turn: turn })
    }

    /// A worker in a lifecycle of its own.
    pub(crate) async fn worker(&self) -> Lifecycle {
        let lifecycle = Lifecycle::manual().with_deadline(Duration::from_secs(5));
        let app = self.build(&lifecycle).await;
        let readiness = app.readiness();
        app.start(&lifecycle);
        readiness.ready().await;
        lifecycle
    }

    /// A worker whose partitions die where the hook says.
    pub(crate) async fn mortal_worker(&self, hook: Hook) -> Lifecycle {
        let lifecycle = Lifecycle::manual().with_deadline(Duration::from_secs(5));
        self.build(&lifecycle).await.with_hook(hook).start(&lifecycle);
        lifecycle
    }

    pub(crate) async fn build(&self, lifecycle: &Lifecycle) -> App {
        App::build(Settings::load(&self.source).unwrap(), lifecycle).await.unwrap()
    }

    pub(crate) async fn order(&self, order: &DeployOrder) {
        let envelope = self.bus.envelope(order.order_id, order.clone());
        self.bus.producer().publish(&envelope).await.unwrap();
    }

    pub(crate) async fn order_to(&self, partition: i32, order: &DeployOrder) {
        let envelope = self.bus.envelope(order.order_id, order.clone());
        self.bus.producer().publish_to(partition, &envelope).await.unwrap();
    }

    /// Leaves of an order only what a worker that has accepted it remembers.
    pub(crate) async fn remember(&self, partition: i32, order: &DeployOrder) {
        let state = DeploymentState {
            order_id: order.order_id,
            group: order.group,
            tenant: order.tenant.clone(),
            api: order.api.clone(),
            environment: order.environment.clone(),
            gateway: order.gateway.clone(),
            kind: order.kind,
            generation: order.generation,
            digest: order.digest.clone(),
            order_offset: 0,
            phase: DeploymentPhase::Accepted,
            step: None,
            attempt: 0,
            step_deadline: None,
            needs_attention: false,
            outcome: None,
            reason: None,
            message: None,
            deadline: order.deadline,
            at: order.ordered_at,
            commit: Some(order.commit.clone()),
            content_commit: Some(order.content_commit.clone()),
            actor: Some(order.actor.clone()),
            trace: Some(order.trace.clone()),
        };
        let envelope = self.bus.envelope(order.order_id, state);
        self.bus.producer().publish_to(partition, &envelope).await.unwrap();
    }

    /// Everything that stands in the topics now.
    pub(crate) async fn everything(&self) -> Heard {
        let (_reading, heard) = follow(&self.bus);
        let _ = heard.read.subscribe().wait_for(|topics| *topics == 2).await;
        heard
    }

    /// What stands in `gateway-routes` under keys that begin with `key`, to somebody who reads it now.
    pub(crate) async fn routes(&self, key: &str) -> BTreeMap<String, Arc<Envelope<GatewayRoute>>> {
        let reading = Lifecycle::manual();
        let (view, task) = self.bus.view::<GatewayRoute>(reading.stopping());
        reading.spawn("routes", task);
        view.caught_up().await;
        view.entries().into_iter().filter(|(stands, _)| stands.starts_with(key)).collect()
    }

    /// Outcome and reason of an order, when it has ended.
    pub(crate) async fn ended(&self, order: &DeployOrder) -> (events::Outcome, Option<String>) {
        eventually(async || {
            let result = self.heard.results(order).pop();
            result.map(|result| (result.outcome, result.reason))
        })
        .await
    }

    /// The first record of an order's history that is about `step` in `phase`, when there is one.
    pub(crate) async fn told(&self, order: &DeployOrder, step: &str, phase: StepPhase) -> DeploymentStep {
        eventually(async || {
            let steps = self.heard.steps(order);
            steps.into_iter().find(|told| told.step == step && told.phase == phase)
        })
        .await
    }
}

/// An order of this run.
pub(crate) fn order(environment: &str, api: &str, revision: i64, address: &str) -> DeployOrder {
    static RUN: LazyLock<Uuid> = LazyLock::new(|| SystemRandom::default().id(jiff::Timestamp::UNIX_EPOCH));
    let document = br#"{"openapi":"3.1.0","info":{"title":"Pets","version":"1"},"paths":{"/pets":{"get":{"responses":{"200":{"description":"ok"}}}}}}"#;
    let now = SystemClock.now();
    DeployOrder {
        order_id: derived_id(&[&RUN.to_string(), environment, api, &revision.to_string()]),
        group: derived_id(&["group"]),
        tenant: format!("t{}", &RUN.simple().to_string()[22..]).parse().unwrap(),
        api: api.parse().unwrap(),
        environment: environment.parse().unwrap(),
        gateway: "builtin".parse().unwrap(),
        kind: OrderKind::Apply,
        generation: Generation { epoch: Epoch(1), revision: Revision(revision) },
        commit: "a".repeat(40).parse().unwrap(),
        content_commit: "b".repeat(40).parse().unwrap(),
        digest: Digest::of(revision.to_string().as_bytes()),
        uid: derived_id(&["uid"]),
        version: "1".to_owned(),
        display_name: "Pets".to_owned(),
        description: String::new(),
        document: Some(Document::pack(document, "application/json").unwrap()),
        upstream: Some(Upstream { url: "http://127.0.0.1:8090".to_owned(), timeout_ms: 1000 }),
        authentication: Authentication::None,
        scopes: Vec::new(),
        policies: Policies { requests_per_minute: None, burst: None },
        variables: Vec::new(),
        target: GatewayTarget { kind: GatewayKind::Builtin, address: address.to_owned() },
        cancels: None,
        actor: "ada".to_owned(),
        trace: "trace".to_owned(),
        ordered_at: now,
        deadline: now + Duration::from_mins(1),
    }
}

pub(crate) fn removal(order: &DeployOrder, revision: i64) -> DeployOrder {
    DeployOrder {
        order_id: derived_id(&[&order.order_id.to_string(), "removal"]),
        kind: OrderKind::Remove,
        generation: Generation { revision: Revision(revision), ..order.generation },
        document: None,
        upstream: None,
        ..order.clone()
    }
}

pub(crate) async fn stop(lifecycle: Lifecycle) {
    lifecycle.stopper().stop();
    assert_eq!(lifecycle.outcome().await, runtime::Outcome::Clean);
}

/// Asks again every few milliseconds until there is an answer, for at most 30 seconds.
pub(crate) async fn eventually<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking).await.expect("nothing happened in 30 seconds")
}
