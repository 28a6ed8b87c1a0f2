//! A toy kind of work: orders that set a value (repeatable) and charge for it (not repeatable).

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use domain::{
    Failure,
    id::{Epoch, Generation, Revision, derived_id},
};
use event_bus::{Bus, Outgoing, Update, testing::FakeRegistry};
use events::{
    Codec, Envelope, Event, Outcome, Topic,
    topics::{Cleanup, Party},
};
use jiff::{SignedDuration, Timestamp};
use runtime::{Backoff, Clock as _, Lifecycle, Metrics, SystemClock};
use saga::{
    Attempt, Decision, Hook, Kind, Memory, Phase, Problem, Saga, Settings, Step, StepError, Ticket,
    Transition, Work,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, OnceCell};
use uuid::Uuid;

pub(crate) const PARTITIONS: i32 = 24;

const fn row(name: &'static str, partitions: i32, cleanup: Cleanup) -> Topic {
    Topic {
        name,
        partitions,
        cleanup,
        max_bytes: 1024 * 1024,
        key: "key",
        writers: &[Party::EveryService],
        readers: &[Party::EveryService],
    }
}

const LOG: Cleanup = Cleanup::Delete(SignedDuration::from_hours(1));

static ORDERS: [Topic; 4] = [
    row("saga-test-orders-0", PARTITIONS, LOG),
    row("saga-test-orders-1", 1, LOG),
    row("saga-test-orders-2", 1, LOG),
    row("saga-test-orders-3", 1, LOG),
];
static STATES: [Topic; 4] = [
    row("saga-test-state-0", PARTITIONS, Cleanup::Compact),
    row("saga-test-state-1", 1, Cleanup::Compact),
    row("saga-test-state-2", 1, Cleanup::Compact),
    row("saga-test-state-3", 1, Cleanup::Compact),
];
static RESULTS: [Topic; 4] = [
    row("saga-test-results-0", 1, LOG),
    row("saga-test-results-1", 1, LOG),
    row("saga-test-results-2", 1, LOG),
    row("saga-test-results-3", 1, LOG),
];

macro_rules! event {
    ($type:ident, $rows:ident, $schema:ident) => {
        impl<const N: usize> Event for $type<N> {
            const TOPIC: &'static Topic = &$rows[N];
            const SCHEMA: &'static str = $schema;

            fn key(&self) -> String {
                self.id.clone()
            }

            fn subject(&self) -> String {
                self.id.clone()
            }

            fn codec() -> &'static Codec {
                static CODEC: LazyLock<Codec> = LazyLock::new(|| Codec::new($schema));
                &CODEC
            }
        }
    };
}

const ORDER: &str = r#"{"type":"record","name":"Order","namespace":"io.stoa.test","fields":[
    {"name":"id","type":"string"},{"name":"key","type":"string"},{"name":"revision","type":"long"},
    {"name":"deadline_ms","type":"long"},{"name":"cancels","type":"string"}]}"#;
const STATE: &str = r#"{"type":"record","name":"State","namespace":"io.stoa.test","fields":[
    {"name":"id","type":"string"},{"name":"memory","type":"string"}]}"#;
const RESULT: &str = r#"{"type":"record","name":"Ending","namespace":"io.stoa.test","fields":[
    {"name":"id","type":"string"},{"name":"outcome","type":"string"},{"name":"reason","type":"string"}]}"#;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order<const N: usize> {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) revision: i64,
    pub(crate) deadline_ms: i64,
    pub(crate) cancels: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct State<const N: usize> {
    id: String,
    memory: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ending<const N: usize> {
    pub(crate) id: String,
    pub(crate) outcome: String,
    pub(crate) reason: String,
}

event!(Order, ORDERS, ORDER);
event!(State, STATES, STATE);
event!(Ending, RESULTS, RESULT);

pub(crate) fn order<const N: usize>(name: &str, key: &str, revision: i64) -> Order<N> {
    within(name, key, revision, Duration::from_mins(1))
}

pub(crate) fn within<const N: usize>(name: &str, key: &str, revision: i64, time: Duration) -> Order<N> {
    let deadline = SystemClock.now() + time;
    Order {
        id: derived_id(&[name]).to_string(),
        key: key.to_owned(),
        revision,
        deadline_ms: deadline.as_millisecond(),
        cancels: String::new(),
    }
}

/// The outside world: what was set and charged, by whom ever; clones are the same world.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) set: Arc<Mutex<BTreeMap<String, i64>>>,
    pub(crate) charged: Arc<Mutex<BTreeMap<String, u32>>>,
    pub(crate) down_for: Arc<Mutex<Option<String>>>,
}

/// The work of one process in a world.
#[derive(Clone, Default)]
pub(crate) struct Shop {
    pub(crate) world: World,
    /// Charging stops here until somebody lets it go on.
    pub(crate) stalled: Option<Arc<Notify>>,
    pub(crate) charge_timeout: Option<Duration>,
    pub(crate) bus: Option<Bus>,
}

impl<const N: usize> Work for Toy<N> {
    type Order = Order<N>;
    type State = State<N>;

    fn ticket(&self, order: &Order<N>) -> Ticket {
        Ticket {
            id: order.id.parse().unwrap(),
            key: order.key.clone(),
            generation: Generation { epoch: Epoch(1), revision: Revision(order.revision) },
            deadline: Timestamp::from_millisecond(order.deadline_ms).unwrap(),
            kind: order.cancels.parse().map_or(Kind::Run, Kind::Cancel),
        }
    }

    fn steps(&self, _: &Order<N>) -> Vec<Step> {
        let timeout = Duration::from_secs(10);
        vec![
            Step { name: "set", idempotent: true, timeout },
            Step { name: "charge", idempotent: false, timeout: self.0.charge_timeout.unwrap_or(timeout) },
        ]
    }

    fn state(&self, order: &Order<N>, memory: &Memory) -> State<N> {
        State { id: order.id.clone(), memory: write(memory) }
    }

    fn memory(&self, state: &State<N>) -> Option<Memory> {
        Some(read(&state.memory))
    }

    async fn records(
        &self,
        order: &Envelope<Order<N>>,
        transition: &Transition,
    ) -> Result<Vec<Outgoing>, Failure> {
        let Phase::Decided(decision) = &transition.memory.phase else { return Ok(Vec::new()) };
        let ending = Ending::<N> {
            id: order.event.id.clone(),
            outcome: format!("{:?}", decision.outcome).to_lowercase(),
            reason: decision.problem.as_ref().map(|p| p.reason.clone()).unwrap_or_default(),
        };
        let bus = self.0.bus.as_ref().unwrap();
        let id = derived_id(&[&order.event.id, "ending"]);
        Ok(vec![bus.prepare(&bus.envelope(id, ending)).await?])
    }

    async fn perform(
        &self,
        step: &str,
        order: &Envelope<Order<N>>,
        attempt: &Attempt,
    ) -> Result<Vec<Outgoing>, StepError> {
        let (world, order) = (&self.0.world, &order.event);
        if world.down_for.lock().unwrap().as_ref() == Some(&order.key) {
            return Err(StepError::retry("down", "the world is down"));
        }
        if order.key == "impossible" {
            return Err(StepError::reject("impossible", "it cannot be"));
        }
        if step == "set" {
            world.set.lock().unwrap().insert(order.key.clone(), order.revision);
            return Ok(Vec::new());
        }
        if let Some(stalled) = &self.0.stalled {
            stalled.notified().await;
        }
        let mut charged = world.charged.lock().unwrap();
        let count = charged.entry(order.id.clone()).or_default();
        // Found again before it is repeated.
        if attempt.number == 1 || *count == 0 {
            *count += 1;
        }
        Ok(Vec::new())
    }
}

pub(crate) struct Toy<const N: usize>(pub(crate) Shop);

fn write(memory: &Memory) -> String {
    let (phase, step, attempt, until, outcome, problem) = match &memory.phase {
        Phase::Accepted => ("accepted", String::new(), 0, memory.at, String::new(), None),
        Phase::Intent { step, attempt, until } => {
            ("intent", step.clone(), *attempt, *until, String::new(), None)
        }
        Phase::Done { step } => ("done", step.clone(), 0, memory.at, String::new(), None),
        Phase::Decided(decision) => (
            "decided",
            String::new(),
            0,
            memory.at,
            format!("{:?}", decision.outcome),
            decision.problem.clone(),
        ),
    };
    let problem = problem.or(memory.problem.clone());
    let (reason, message) = problem.map(|p| (p.reason, p.message)).unwrap_or_default();
    [
        memory.id.to_string(),
        memory.key.clone(),
        memory.generation.revision.to_string(),
        memory.offset.to_string(),
        memory.deadline.to_string(),
        memory.cancels.to_string(),
        memory.needs_attention.to_string(),
        memory.at.to_string(),
        phase.to_owned(),
        step,
        attempt.to_string(),
        until.to_string(),
        outcome,
        reason,
        message,
    ]
    .join("|")
}

fn read(text: &str) -> Memory {
    let parts: Vec<&str> = text.split('|').collect();
    let problem = (!parts[13].is_empty())
        .then(|| Problem { reason: parts[13].to_owned(), message: parts[14].to_owned() });
    let phase = match parts[8] {
        "accepted" => Phase::Accepted,
        "intent" => Phase::Intent {
            step: parts[9].to_owned(),
            attempt: parts[10].parse().unwrap(),
            until: parts[11].parse().unwrap(),
        },
        "done" => Phase::Done { step: parts[9].to_owned() },
        _ => {
            let outcome = match parts[12] {
                "Succeeded" => Outcome::Succeeded,
                "Superseded" => Outcome::Superseded,
                "Cancelled" => Outcome::Cancelled,
                "Expired" => Outcome::Expired,
                _ => Outcome::Failed,
            };
            Phase::Decided(Decision { outcome, problem: problem.clone() })
        }
    };
    Memory {
        id: parts[0].parse().unwrap(),
        key: parts[1].to_owned(),
        generation: Generation { epoch: Epoch(1), revision: Revision(parts[2].parse().unwrap()) },
        offset: parts[3].parse().unwrap(),
        deadline: parts[4].parse().unwrap(),
        cancels: parts[5] == "true",
        needs_attention: parts[6] == "true",
        problem,
        at: parts[7].parse().unwrap(),
        phase,
    }
}

/// Topics of this run with a registry of their own.
pub(crate) struct Fixture {
    pub(crate) settings: event_bus::Settings,
    pub(crate) bus: Bus,
    _registry: FakeRegistry,
}

static EMPTIED: OnceCell<()> = OnceCell::const_new();

impl Fixture {
    pub(crate) async fn new() -> Option<Self> {
        // What the saga says is shown with a test that fails.
        let _ = tracing_subscriber::fmt().with_test_writer().try_init();
        let registry = FakeRegistry::start().unwrap();
        let servers = crate::broker::bootstrap_servers().await?;
        let settings = event_bus::Settings::local(&servers, registry.url());
        let bus = connect(&settings).await;
        EMPTIED.get_or_init(|| empty(&bus)).await;
        Some(Self { settings, bus, _registry: registry })
    }

    pub(crate) async fn order<const N: usize>(&self, partition: i32, order: &Order<N>) {
        let id: Uuid = derived_id(&[&order.id, "order"]);
        self.bus.producer().publish_to(partition, &self.bus.envelope(id, order.clone())).await.unwrap();
    }

    /// Every terminal record that a `read_committed` reader sees, as (id, outcome, reason).
    pub(crate) async fn endings<const N: usize>(&self) -> Vec<Ending<N>> {
        let mut endings = Vec::new();
        self.bus
            .read_partition::<Ending<N>>(0, None, |update, _| {
                if let Update::Put(envelope) = update {
                    endings.push(envelope.event.clone());
                }
            })
            .await
            .unwrap();
        endings
    }

    /// Waits for this many terminal records.
    pub(crate) async fn ended<const N: usize>(&self, count: usize) -> Vec<Ending<N>> {
        eventually(async || Some(self.endings::<N>().await).filter(|endings| endings.len() >= count)).await
    }

    pub(crate) async fn ending<const N: usize>(&self, order: &Order<N>) -> (String, String) {
        eventually(async || {
            let endings = self.endings::<N>().await;
            endings.into_iter().find(|e| e.id == order.id).map(|e| (e.outcome, e.reason))
        })
        .await
    }
}

/// A process that runs the saga.
pub(crate) struct Process {
    lifecycle: Lifecycle,
}

impl Process {
    pub(crate) async fn start<const N: usize>(
        fixture: &Fixture,
        group: &str,
        shop: Shop,
        hook: Option<Hook>,
    ) -> Self {
        let lifecycle = Lifecycle::manual();
        let bus = connect(&fixture.settings).await;
        let shop = Shop { bus: Some(bus.clone()), ..shop };
        let settings = Settings {
            backoff: Backoff {
                initial: Duration::from_millis(20),
                max: Duration::from_millis(100),
                ..Backoff::default()
            },
            attention_after: 3,
            ..Settings::default()
        };
        let mut saga = Saga::new(
            &bus,
            "toy",
            Toy::<N>(shop),
            settings,
            &Metrics::new("test"),
            lifecycle.spawner(),
            lifecycle.stopping(),
        );
        if let Some(hook) = hook {
            saga = saga.with_hook(hook);
        }
        lifecycle.spawn("saga", saga.run(group));
        Self { lifecycle }
    }

    pub(crate) async fn stop(self) {
        self.lifecycle.stopper().stop();
        assert_eq!(self.lifecycle.outcome().await, runtime::Outcome::Clean);
    }
}

async fn connect(settings: &event_bus::Settings) -> Bus {
    Bus::connect(settings.clone(), "toy", Arc::new(SystemClock), &Metrics::new("test")).await.unwrap()
}

async fn empty(bus: &Bus) {
    let topics = bus.topics();
    let ours = |name: &String| name.starts_with("saga-test-");
    let old: Vec<String> = topics.list().await.unwrap().into_keys().filter(ours).collect();
    if !old.is_empty() {
        topics.delete(&old).await.unwrap();
    }
    eventually(async || topics.list().await.unwrap().keys().all(|name| !ours(name)).then_some(())).await;
    let table: Vec<&Topic> = ORDERS.iter().chain(&STATES).chain(&RESULTS).collect();
    topics.apply(&table).await.unwrap();
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

/// A name that no other run has used.
pub(crate) fn unique(name: &str) -> String {
    static RUN: LazyLock<Uuid> = LazyLock::new(|| {
        use runtime::Random as _;
        runtime::SystemRandom::default().id(Timestamp::UNIX_EPOCH)
    });
    format!("{name}-{}", &RUN.simple().to_string()[20..])
}
