//! Records that cannot be taken in.

use event_bus::{Consumption, testing::FakeRegistry};
use events::Event as _;
use runtime::Lifecycle;

use crate::fixture::{Fixture, Note, Store, eventually, note, stop, unique, write};

#[tokio::test]
async fn bytes_that_are_no_record_are_kept_with_the_reason_and_the_consumer_goes_on() {
    let Some(fixture) = Fixture::new().await else { return };
    let topic = Note::<4>::TOPIC.name;
    let group = unique("garbage");
    write(&fixture, topic, b"{\"not\": \"avro\"}").await;
    write(&fixture, topic, b"\0\0\0\x27\x0fbody").await;
    fixture.bus.producer().publish(&note::<4>("a", "unfit")).await.unwrap();
    fixture.bus.producer().publish(&note::<4>("a", "fine")).await.unwrap();
    let (lifecycle, store) = (Lifecycle::manual(), Store::default());
    let task =
        fixture.bus.consume::<Note<4>, _>(&group, store.clone(), Consumption::Worker, lifecycle.stopping());
    lifecycle.spawn("garbage", task);
    assert_eq!(store.holding(1).await, ["fine"]);
    stop(lifecycle).await;

    let letters = fixture.bus.dead_letters(topic, &group).list().await.unwrap();
    let summary: Vec<_> = letters
        .iter()
        .map(|letter| (letter.reason.as_str(), letter.error.as_str(), letter.source_offset))
        .collect();
    assert_eq!(
        summary,
        [
            (
                "undecodable",
                "the value is not a record of this topic: the value begins with byte 0x7b, not with the zero byte of an Avro value",
                0
            ),
            (
                "unknown-schema",
                "the schema that wrote the value is not to be had: the schema registry knows no schema 9999",
                1
            ),
            ("rejected", "a note must not say `unfit`", 2),
        ]
    );
    assert_eq!(letters[0].value, b"{\"not\": \"avro\"}");
    assert_eq!(letters[0].headers, [("x-from".to_owned(), b"outside".to_vec())]);
    assert_eq!((letters[0].topic.as_str(), letters[0].partition, letters[0].key.as_str()), (topic, 0, "a"));
    assert!(fixture.metrics.encode().contains("stoa_bus_dead_letters_total"));
}

#[tokio::test]
async fn a_replayed_record_reaches_only_the_group_that_could_not_take_it_in() {
    let Some(fixture) = Fixture::new().await else { return };
    let topic = Note::<5>::TOPIC.name;
    let (ours, theirs) = (unique("ours"), unique("theirs"));
    fixture.bus.producer().publish(&note::<5>("a", "early")).await.unwrap();
    // The registry lost its schemas, so nobody can read the record.
    let amnesiac = FakeRegistry::start().unwrap();
    let mut settings = fixture.settings.clone();
    settings.schema_registry_url = amnesiac.url();
    let metrics = runtime::Metrics::new("test");
    let clock = std::sync::Arc::clone(fixture.bus.clock());
    let blind = event_bus::Bus::connect(settings, "tester", clock, &metrics).await.unwrap();
    let (lifecycle, store) = (Lifecycle::manual(), Store::default());
    let task = blind.consume::<Note<5>, _>(&ours, store.clone(), Consumption::Worker, lifecycle.stopping());
    lifecycle.spawn("ours", task);
    let letters = fixture.bus.dead_letters(topic, &ours);
    eventually(async || (letters.list().await.unwrap().len() == 1).then_some(())).await;
    stop(lifecycle).await;

    // Now the registry knows again, and the record is replayed.
    let (lifecycle, others) = (Lifecycle::manual(), Store::default());
    for (group, store) in [(&ours, &store), (&theirs, &others)] {
        let task = fixture.bus.consume::<Note<5>, _>(
            group,
            store.clone(),
            Consumption::Worker,
            lifecycle.stopping(),
        );
        lifecycle.spawn(group, task);
    }
    others.holding(1).await;
    letters.replay(0).await.unwrap();
    assert_eq!(store.holding(1).await, ["early"]);
    fixture.bus.producer().publish(&note::<5>("a", "late")).await.unwrap();
    assert_eq!(others.holding(2).await, ["early", "late"]);
    stop(lifecycle).await;
}

#[tokio::test]
async fn whatever_stands_among_dead_letters_is_listed() {
    let Some(fixture) = Fixture::new().await else { return };
    let group = unique("stray");
    let topics = fixture.bus.topics().apply_for_group(Note::<18>::TOPIC, &group).await.unwrap();
    write(&fixture, &topics[0], b"stray").await;
    let letters = fixture.bus.dead_letters("bus-test-18", &group).list().await.unwrap();
    let shown: Vec<_> = letters.iter().map(|letter| (letter.reason.as_str(), &*letter.value)).collect();
    assert_eq!(shown, [("", &b"stray"[..])]);
}
