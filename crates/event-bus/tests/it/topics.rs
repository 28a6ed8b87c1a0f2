//! Administration from the table.

use event_bus::Drift;
use events::{Event as _, Topic};

use crate::fixture::{Fixture, Note};

#[tokio::test]
async fn applying_the_table_twice_changes_nothing() {
    let Some(fixture) = Fixture::new().await else { return };
    let table = [Note::<12>::TOPIC, Note::<20>::TOPIC];
    let applied = fixture.bus.topics().apply(&table).await.unwrap();
    assert_eq!(applied, event_bus::Applied::default());
}

#[tokio::test]
async fn drift_is_reported_and_partitions_are_never_added() {
    static WIDER: Topic = Topic {
        partitions: 4,
        max_bytes: 2048,
        ..Topic {
            name: "bus-test-13",
            partitions: 0,
            cleanup: events::topics::Cleanup::Compact,
            max_bytes: 0,
            key: "key",
            writers: &[],
            readers: &[],
        }
    };
    let Some(fixture) = Fixture::new().await else { return };
    let applied = fixture.bus.topics().apply(&[&WIDER]).await.unwrap();
    let drift = |what: &str, expected: &str, found: &str| Drift {
        topic: "bus-test-13".to_owned(),
        what: what.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    };
    assert_eq!(
        applied.drift,
        [
            drift("partitions", "4", "2"),
            drift("cleanup.policy", "compact", "delete"),
            drift("max.message.bytes", "67584", "1114112"),
        ]
    );
    assert_eq!(fixture.bus.topics().list().await.unwrap()["bus-test-13"], 2);
}

#[tokio::test]
async fn the_cluster_says_who_it_is() {
    let Some(fixture) = Fixture::new().await else { return };
    assert_eq!(fixture.bus.cluster_id(), fixture.second().await.cluster_id());
    assert_eq!(fixture.bus.cluster_id().len(), 22);
}
