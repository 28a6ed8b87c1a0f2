use std::{path::Path, sync::Arc, time::Duration};

use devstack::{Backbone, kafka::Kafka, process::State};
use event_bus::Bus;
use events::{GitopsNudge, NudgeReason};
use rustix::process::{Pid, Signal, kill_process};
use uuid::Uuid;

async fn bus(backbone: &Backbone) -> Bus {
    let metrics = runtime::Metrics::new("test");
    let clock = Arc::new(runtime::SystemClock);
    Bus::connect(backbone.settings(), "test", clock, &metrics).await.unwrap()
}

fn nudge(repository: &str) -> GitopsNudge {
    GitopsNudge { repository: repository.to_owned(), reason: NudgeReason::Timer, commit: None }
}

fn pid(kafka: &Kafka) -> Option<u32> {
    match kafka.state() {
        State::Running { pid, .. } => Some(pid),
        _ => None,
    }
}

async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..1000 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never: {what}");
}

async fn start(test: &str, home: &Path) -> Option<Backbone> {
    Backbone::for_test(test, home).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_go_through_broker_and_registry_and_outlive_a_kill_and_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let Some(backbone) = start("records_go_through_broker_and_registry", home.path()).await else { return };
    let cluster = backbone.kafka().cluster_id().to_owned();
    let first = {
        let bus = bus(&backbone).await;
        assert_eq!(bus.cluster_id(), cluster);
        bus.topics().apply(&[<GitopsNudge as events::Event>::TOPIC]).await.unwrap();
        let position = bus.producer().publish(&bus.envelope(Uuid::nil(), nudge("one"))).await.unwrap();
        let read = bus.read_at::<GitopsNudge>(position.partition, position.offset).await.unwrap();
        assert_eq!(read.event, nudge("one"));

        // A broker that is killed comes back by itself, and a client goes on.
        let killed = pid(backbone.kafka()).unwrap();
        kill_process(Pid::from_raw(i32::try_from(killed).unwrap()).unwrap(), Signal::KILL).unwrap();
        until("a new process", || pid(backbone.kafka()).filter(|pid| *pid != killed)).await;
        bus.producer().publish(&bus.envelope(Uuid::nil(), nudge("two"))).await.unwrap();
        position
    };
    backbone.stop().await;

    let backbone = start("the second start", home.path()).await.unwrap();
    assert_eq!(backbone.kafka().cluster_id(), cluster);
    let again = bus(&backbone).await;
    let read = again.read_at::<GitopsNudge>(first.partition, first.offset).await.unwrap();
    assert_eq!(read.event, nudge("one"));
    backbone.stop().await;
}
