//! Record types of the tests, each on a topic of its own, and what a test needs around them.

use std::{
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::Failure;
use event_bus::{Bus, Delivery, Handle, Settings, testing::FakeRegistry};
use events::{
    Codec, Envelope, Event, Topic,
    topics::{Cleanup, Party},
};
use jiff::SignedDuration;
use rdkafka::{
    ClientConfig,
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};
use runtime::{Lifecycle, Metrics, testing::FixedClock};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use uuid::Uuid;

const SCHEMA: &str = r#"{"type":"record","name":"Note","namespace":"io.stoa.test","fields":[
    {"name":"key","type":"string"},{"name":"text","type":"string"}]}"#;

/// A record on the test topic number `N`; below 20 they are logs, from 20 on they are compacted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Note<const N: usize> {
    pub(crate) key: String,
    pub(crate) text: String,
}

const fn row(name: &'static str, cleanup: Cleanup) -> Topic {
    Topic {
        name,
        partitions: 2,
        cleanup,
        max_bytes: 1024 * 1024,
        key: "key",
        writers: &[Party::EveryService],
        readers: &[Party::EveryService],
    }
}

const LOG: Cleanup = Cleanup::Delete(SignedDuration::from_hours(1));

macro_rules! rows {
    ($($name:literal: $cleanup:expr),+ $(,)?) => {
        static ROWS: &[Topic] = &[$(row($name, $cleanup)),+, LARGE];
    };
}

/// The last row: its records are as large as any.
const LARGE: Topic =
    Topic { max_bytes: events::limits::RECORD_WITH_DOCUMENT, ..row("bus-test-large", Cleanup::Compact) };

rows! {
    "bus-test-0": LOG, "bus-test-1": LOG, "bus-test-2": LOG, "bus-test-3": LOG, "bus-test-4": LOG,
    "bus-test-5": LOG, "bus-test-6": LOG, "bus-test-7": LOG, "bus-test-8": LOG, "bus-test-9": LOG,
    "bus-test-10": LOG, "bus-test-11": LOG, "bus-test-12": LOG, "bus-test-13": LOG, "bus-test-14": LOG,
    "bus-test-15": LOG, "bus-test-16": LOG, "bus-test-17": LOG, "bus-test-18": LOG, "bus-test-19": LOG,
    "bus-test-20": Cleanup::Compact, "bus-test-21": Cleanup::Compact, "bus-test-22": Cleanup::Compact,
    "bus-test-23": Cleanup::Compact, "bus-test-24": Cleanup::Compact, "bus-test-25": Cleanup::Compact,
    "bus-test-26": LOG, "bus-test-absent": LOG,
}

impl<const N: usize> Event for Note<N> {
    const TOPIC: &'static Topic = &ROWS[N];
    const SCHEMA: &'static str = SCHEMA;

    fn key(&self) -> String {
        self.key.clone()
    }

    fn subject(&self) -> String {
        format!("notes/{}", self.key)
    }

    fn codec() -> &'static Codec {
        static CODEC: LazyLock<Codec> = LazyLock::new(|| Codec::new(SCHEMA));
        &CODEC
    }
}

pub(crate) fn note<const N: usize>(key: &str, text: &str) -> Envelope<Note<N>> {
    Envelope {
        id: domain::id::derived_id(&[key, text]),
        source: "/stoa/test".to_owned(),
        time: "2026-03-01T12:00:00Z".parse().unwrap(),
        event: Note { key: key.to_owned(), text: text.to_owned() },
    }
}

/// Two keys that lie in partition 0 and 1 of a topic with two.
pub(crate) const IN_0: &str = "b";
pub(crate) const IN_1: &str = "d";

/// A bus on empty topics of this run, with a registry of its own.
pub(crate) struct Fixture {
    pub(crate) bus: Bus,
    pub(crate) registry: FakeRegistry,
    pub(crate) metrics: Metrics,
    pub(crate) settings: Settings,
}

/// Topics are emptied once per run, because a broker given from outside may remember an earlier one.
static EMPTIED: OnceCell<()> = OnceCell::const_new();

impl Fixture {
    pub(crate) async fn new() -> Option<Self> {
        let registry = FakeRegistry::start().unwrap();
        let settings = Settings::local(&crate::broker::bootstrap_servers().await?, registry.url());
        let metrics = Metrics::new("test");
        let bus = connect(&settings, &metrics).await;
        EMPTIED.get_or_init(|| empty(&bus)).await;
        Some(Self { bus, registry, metrics, settings })
    }

    /// A bus of another process of the same service.
    pub(crate) async fn second(&self) -> Bus {
        connect(&self.settings, &Metrics::new("test")).await
    }
}

async fn connect(settings: &Settings, metrics: &Metrics) -> Bus {
    let clock = Arc::new(FixedClock::default());
    Bus::connect(settings.clone(), "tester", clock, metrics).await.unwrap()
}

async fn empty(bus: &Bus) {
    let topics = bus.topics();
    let ours = |name: &String| name.starts_with("bus-test-");
    let old: Vec<String> = topics.list().await.unwrap().into_keys().filter(ours).collect();
    if !old.is_empty() {
        topics.delete(&old).await.unwrap();
    }
    let there = ROWS.iter().filter(|row| row.name != "bus-test-absent");
    let table: Vec<&Topic> = there.chain([&events::topics::CATALOG_HEADS]).collect();
    eventually(async || topics.list().await.unwrap().into_keys().all(|name| !ours(&name)).then_some(()))
        .await;
    topics.apply(&table).await.unwrap();
}

/// Writes bytes as a program without this library would.
pub(crate) async fn write(fixture: &Fixture, topic: &str, value: &[u8]) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &fixture.settings.bootstrap_servers);
    let producer: FutureProducer = config.create().unwrap();
    let headers = OwnedHeaders::new().insert(Header { key: "x-from", value: Some("outside") });
    let record = FutureRecord::to(topic).key("a").payload(value).headers(headers).partition(0);
    producer.send(record, std::time::Duration::from_secs(5)).await.unwrap();
}

/// Asks again every few milliseconds until there is an answer, for at most 20 seconds.
pub(crate) async fn eventually<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking).await.expect("nothing happened in 20 seconds")
}

/// A store of notes that can be down.
#[derive(Clone, Default)]
pub(crate) struct Store {
    pub(crate) taken: Arc<Mutex<Vec<String>>>,
    pub(crate) down_for: Arc<Mutex<Option<String>>>,
    pub(crate) removed: Arc<Mutex<Vec<String>>>,
    pub(crate) unreadable: Arc<Mutex<Vec<String>>>,
    caught_up: Arc<AtomicBool>,
}

#[derive(Debug, thiserror::Error)]
#[error("the store is down")]
pub(crate) struct Down;

impl domain::Classify for Down {
    fn disposition(&self) -> domain::Disposition {
        domain::Disposition::Retry
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a note must not say `{0}`")]
pub(crate) struct Unfit(pub(crate) String);

impl domain::Classify for Unfit {
    fn disposition(&self) -> domain::Disposition {
        domain::Disposition::Reject
    }
}

impl Store {
    pub(crate) fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }

    pub(crate) fn goes_down_for(&self, key: &str) {
        *self.down_for.lock().unwrap() = Some(key.to_owned());
    }

    pub(crate) fn comes_back(&self) {
        *self.down_for.lock().unwrap() = None;
    }

    pub(crate) fn is_caught_up(&self) -> bool {
        self.caught_up.load(Ordering::Acquire)
    }

    /// Waits until this many notes were taken.
    pub(crate) async fn holding(&self, count: usize) -> Vec<String> {
        eventually(async || Some(self.taken()).filter(|taken| taken.len() >= count)).await
    }
}

impl<const N: usize> Handle<Note<N>> for Store {
    async fn handle(&self, envelope: &Envelope<Note<N>>, _: &Delivery) -> Result<(), Failure> {
        if self.down_for.lock().unwrap().as_ref() == Some(&envelope.event.key) {
            return Err(Down.into());
        }
        if envelope.event.text == "unfit" {
            return Err(Unfit(envelope.event.text.clone()).into());
        }
        self.taken.lock().unwrap().push(envelope.event.text.clone());
        Ok(())
    }

    async fn removed(&self, key: &str, _: &Delivery) -> Result<(), Failure> {
        self.removed.lock().unwrap().push(key.to_owned());
        Ok(())
    }

    async fn unreadable(&self, key: &str, _: &Delivery) {
        self.unreadable.lock().unwrap().push(key.to_owned());
    }

    async fn caught_up(&self) {
        self.caught_up.store(true, Ordering::Release);
    }
}

/// A name that no other test and no other run has used.
pub(crate) fn unique(name: &str) -> String {
    static RUN: LazyLock<Uuid> = LazyLock::new(|| {
        use runtime::Random as _;
        runtime::SystemRandom::default().id(jiff::Timestamp::UNIX_EPOCH)
    });
    format!("{name}-{}", &RUN.simple().to_string()[20..])
}

/// Stops a lifecycle and waits for its tasks.
pub(crate) async fn stop(lifecycle: Lifecycle) {
    lifecycle.stopper().stop();
    assert_eq!(lifecycle.outcome().await, runtime::Outcome::Clean);
}
