//! Live reading without a group.

use event_bus::{From, Update};
use runtime::Lifecycle;

use crate::fixture::{Fixture, Note, Store, eventually, note, stop, write};

#[tokio::test]
async fn every_process_sees_every_record_from_where_it_began() {
    let Some(fixture) = Fixture::new().await else { return };
    let producer = fixture.bus.producer();
    producer.publish(&note::<10>("a", "before")).await.unwrap();
    let lifecycle = Lifecycle::manual();
    let (all, live) = (Store::default(), Store::default());
    let follow =
        |from, store: &Store| fixture.bus.follow::<Note<10>, _>(from, store.clone(), lifecycle.stopping());
    lifecycle.spawn("all", follow(From::Beginning, &all));
    lifecycle.spawn("live", follow(From::End, &live));
    all.holding(1).await;
    // The live one has no sign of its own of being there.
    eventually(async || {
        producer.publish(&note::<10>("a", "during")).await.unwrap();
        (!live.taken().is_empty()).then_some(())
    })
    .await;
    assert!(live.taken().iter().all(|text| text == "during"));
    assert_eq!(all.holding(2).await[..2], ["before", "during"]);
    stop(lifecycle).await;
}

/// What was left out, as the metrics show it.
fn left_out(fixture: &Fixture, reader: &str) -> Vec<String> {
    let text = fixture.metrics.encode();
    let lines = text.lines().filter(|line| line.starts_with("stoa_bus_records_left_out_total"));
    let ours = lines.filter(|line| line.contains(&format!("reader=\"{reader}\"")));
    let mut shown: Vec<String> =
        ours.map(|line| line.split_once("reason=").unwrap().1.replace(['"', '}'], "")).collect();
    shown.sort();
    shown
}

#[tokio::test]
async fn what_a_follower_cannot_take_in_is_counted_and_stays_and_the_next_is_taken() {
    let Some(fixture) = Fixture::new().await else { return };
    let producer = fixture.bus.producer();
    write(&fixture, "bus-test-16", b"no record").await;
    write(&fixture, "bus-test-16", b"\0\0\0\x27\x0fbody").await;
    producer.publish(&note::<16>("a", "unfit")).await.unwrap();
    producer.publish(&note::<16>("a", "fine")).await.unwrap();
    for _ in 0..2 {
        // The second process meets them again.
        let (lifecycle, store) = (Lifecycle::manual(), Store::default());
        let task = fixture.bus.follow::<Note<16>, _>(From::Beginning, store.clone(), lifecycle.stopping());
        lifecycle.spawn("follow", task);
        assert_eq!(store.holding(1).await, ["fine"]);
        stop(lifecycle).await;
    }
    assert_eq!(left_out(&fixture, "follow"), ["rejected 2", "undecodable 2", "unknown-schema 2"]);
    let topics = fixture.bus.topics().list().await.unwrap();
    assert!(!topics.contains_key("bus-test-16.tester.dlq"), "{topics:?}");
}

#[tokio::test]
async fn what_cannot_be_read_of_a_partition_is_counted_and_the_next_is_taken() {
    let Some(fixture) = Fixture::new().await else { return };
    write(&fixture, "bus-test-17", b"no record").await;
    let fine = fixture.bus.prepare(&note::<17>("a", "fine")).await.unwrap().to_partition(0);
    fixture.bus.producer().send(&fine).await.unwrap();
    let mut texts = Vec::new();
    let take = |update, _| match update {
        Update::Put(envelope) => texts.push(std::sync::Arc::<events::Envelope<Note<17>>>::clone(&envelope)),
        Update::Removed(key) => panic!("{key}"),
    };
    fixture.bus.read_partition::<Note<17>>(0, None, take).await.unwrap();
    assert_eq!(texts.iter().map(|envelope| envelope.event.text.as_str()).collect::<Vec<_>>(), ["fine"]);
    assert_eq!(left_out(&fixture, "partition"), ["undecodable 1"]);
}
