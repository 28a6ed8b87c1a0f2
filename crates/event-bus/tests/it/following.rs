//! Live reading without a group.

use event_bus::{Bus, From, Update};
use runtime::Lifecycle;

use crate::fixture::{Fixture, IN_0, IN_1, Note, Store, eventually, note, stop, write};

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

/// Reason, place and bytes of each dead letter of the service.
async fn letters(fixture: &Fixture, topic: &str) -> Vec<(String, i32, i64, Vec<u8>)> {
    let letters = fixture.bus.dead_letters(topic, "tester").list().await.unwrap();
    letters.into_iter().map(|l| (l.reason, l.partition, l.source_offset, l.value)).collect()
}

#[tokio::test]
async fn what_a_follower_cannot_take_in_is_a_dead_letter_once_and_the_next_is_taken() {
    let Some(fixture) = Fixture::new().await else { return };
    let producer = fixture.bus.producer();
    write(&fixture, "bus-test-16", b"no record").await;
    write(&fixture, "bus-test-16", b"\0\0\0\x27\x0fbody").await;
    producer.publish(&note::<16>("a", "unfit")).await.unwrap();
    producer.publish(&note::<16>("a", "fine")).await.unwrap();
    let follow = async |bus: &Bus| {
        let (lifecycle, store) = (Lifecycle::manual(), Store::default());
        let task = bus.follow::<Note<16>, _>(From::Beginning, store.clone(), lifecycle.stopping());
        lifecycle.spawn("follow", task);
        (lifecycle, store)
    };
    // Two replicas at once meet the same records, and so does the service after a restart.
    let second = fixture.second().await;
    for _ in 0..2 {
        let (one, other) = (follow(&fixture.bus).await, follow(&second).await);
        assert_eq!([one.1.holding(1).await, other.1.holding(1).await], [["fine"], ["fine"]]);
        assert_eq!(*one.1.unreadable.lock().unwrap(), ["a", "a"]);
        stop(one.0).await;
        stop(other.0).await;
    }
    let unfit = fixture.bus.prepare(&note::<16>("a", "unfit")).await.unwrap().value().to_vec();
    let kept = [
        ("undecodable".to_owned(), 0, 0, b"no record".to_vec()),
        ("unknown-schema".to_owned(), 0, 1, b"\0\0\0\x27\x0fbody".to_vec()),
        ("rejected".to_owned(), 0, 2, unfit),
    ];
    assert_eq!(letters(&fixture, "bus-test-16").await, kept);
    // Each process counts what it meets.
    assert_eq!(left_out(&fixture, "follow"), ["rejected 2", "undecodable 2", "unknown-schema 2"]);
}

#[tokio::test]
async fn replicas_that_follow_live_keep_a_bad_record_once() {
    let Some(fixture) = Fixture::new().await else { return };
    let second = fixture.second().await;
    let lifecycle = Lifecycle::manual();
    let stores = [Store::default(), Store::default()];
    for (bus, store) in [&fixture.bus, &second].into_iter().zip(&stores) {
        let task = bus.follow::<Note<19>, _>(From::Beginning, store.clone(), lifecycle.stopping());
        lifecycle.spawn("follow", task);
        eventually(async || store.is_caught_up().then_some(())).await;
    }
    let mut kept = Vec::new();
    for at in 0..4 {
        let bytes = format!("bad {at}").into_bytes();
        write(&fixture, "bus-test-19", &bytes).await;
        kept.push(("undecodable".to_owned(), 0, at, bytes));
    }
    let fine = fixture.bus.prepare(&note::<19>("a", "fine")).await.unwrap().to_partition(0);
    fixture.bus.producer().send(&fine).await.unwrap();
    for store in &stores {
        assert_eq!(store.holding(1).await, ["fine"]);
    }
    stop(lifecycle).await;
    let mut found = letters(&fixture, "bus-test-19").await;
    found.sort();
    assert_eq!(found, kept);
}

#[tokio::test]
async fn several_topics_are_followed_with_one_client_each_to_its_end() {
    let Some(fixture) = Fixture::new().await else { return };
    let producer = fixture.bus.producer();
    producer.publish_all(&[note::<23>(IN_0, "one"), note(IN_1, "two")]).await.unwrap();
    producer.retire::<Note<23>>(IN_1).await.unwrap();
    let (lifecycle, full, empty) = (Lifecycle::manual(), Store::default(), Store::default());
    let followers = fixture.bus.followers(From::Beginning);
    let followers = followers.with::<Note<23>, _>(full.clone()).with::<Note<24>, _>(empty.clone());
    lifecycle.spawn("follow", followers.run(lifecycle.stopping()));
    eventually(async || (full.is_caught_up() && empty.is_caught_up()).then_some(())).await;
    let mut taken = full.taken();
    taken.sort();
    assert_eq!(
        (taken, full.removed.lock().unwrap().clone()),
        (vec!["one".into(), "two".into()], vec!["d".into()])
    );
    assert_eq!(empty.taken(), [""; 0]);

    producer.publish(&note::<24>(IN_0, "there")).await.unwrap();
    producer.publish(&note::<23>(IN_0, "here")).await.unwrap();
    assert_eq!(empty.holding(1).await, ["there"]);
    assert_eq!(full.holding(3).await[2..], ["here"]);
    stop(lifecycle).await;
}

/// Text of that length that hardly compresses.
fn noise(length: usize) -> String {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b' ' + ((state >> 33) % 95).to_le_bytes()[0])
    };
    std::iter::repeat_with(&mut next).take(length).collect()
}

#[tokio::test]
async fn the_largest_records_pass_and_so_do_their_dead_letters() {
    let Some(fixture) = Fixture::new().await else { return };
    let text = noise(events::limits::RECORD_WITH_DOCUMENT - 1024);
    let large = fixture.bus.prepare(&note::<28>("a", &text)).await.unwrap().to_partition(0);
    let garbage = text.clone().into_bytes();
    for record in [large.clone(), large.clone().with_value(garbage.clone()), large.clone(), large] {
        fixture.bus.producer().send(&record).await.unwrap();
    }
    let (lifecycle, store) = (Lifecycle::manual(), Store::default());
    let task = fixture.bus.follow::<Note<28>, _>(From::Beginning, store.clone(), lifecycle.stopping());
    lifecycle.spawn("follow", task);
    assert!(store.holding(3).await.iter().all(|taken| *taken == text));
    stop(lifecycle).await;
    let kept = letters(&fixture, "bus-test-large").await;
    assert!(kept == [("undecodable".to_owned(), 0, 1, garbage)]);
}

#[tokio::test]
async fn followers_of_a_topic_that_does_not_exist_say_so() {
    let Some(fixture) = Fixture::new().await else { return };
    let followers = fixture.bus.followers(From::End).with::<Note<10>, _>(Store::default());
    let followers = followers.with::<Note<27>, _>(Store::default());
    let error = followers.run(Lifecycle::manual().stopping()).await.unwrap_err();
    assert_eq!(error.to_string(), "topic `bus-test-absent` does not exist");
}

#[tokio::test]
async fn what_cannot_be_read_of_a_partition_is_counted_and_the_next_is_taken() {
    let Some(fixture) = Fixture::new().await else { return };
    write(&fixture, "bus-test-17", b"no record").await;
    let fine = fixture.bus.prepare(&note::<17>("a", "fine")).await.unwrap().to_partition(0);
    fixture.bus.producer().send(&fine).await.unwrap();
    let mut texts = Vec::new();
    let take = |update: Update<Note<17>>, _| match update {
        Update::Put(envelope) => texts.push(envelope.event.text.clone()),
        Update::Removed(key) => panic!("{key}"),
    };
    fixture.bus.read_partition(0, None, take).await.unwrap();
    assert_eq!(texts, ["fine"]);
    assert_eq!(left_out(&fixture, "partition"), ["undecodable 1"]);
    assert_eq!(letters(&fixture, "bus-test-17").await, []);

    // The service's own reading back, at two starts.
    for _ in 0..2 {
        let mut texts = Vec::new();
        let take = |update: Update<Note<17>>, _| match update {
            Update::Put(envelope) => texts.push(envelope.event.text.clone()),
            Update::Removed(key) => panic!("{key}"),
        };
        fixture.bus.recall(0, take).await.unwrap();
        assert_eq!(texts, ["fine"]);
    }
    let kept = [("undecodable".to_owned(), 0, 0, b"no record".to_vec())];
    assert_eq!(letters(&fixture, "bus-test-17").await, kept);
}
