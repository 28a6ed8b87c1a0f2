//! Compacted topics as maps.

use event_bus::{From, View};
use events::{CatalogHeads, Event as _, TopicHead};
use runtime::Lifecycle;

use crate::fixture::{Fixture, IN_0, IN_1, Note, Store, eventually, note, stop};

#[tokio::test]
async fn a_view_shows_the_newest_record_of_every_key_and_no_removed_one() {
    let Some(fixture) = Fixture::new().await else { return };
    let producer = fixture.bus.producer();
    let notes = [note::<20>(IN_0, "old"), note(IN_0, "new"), note(IN_1, "gone"), note("c", "kept")];
    producer.publish_all(&notes).await.unwrap();
    producer.retire::<Note<20>>(IN_1).await.unwrap();

    let lifecycle = Lifecycle::manual();
    let (view, task) = fixture.bus.view::<Note<20>>(lifecycle.stopping());
    lifecycle.spawn("view", task);
    view.caught_up().await;
    let shown: Vec<_> =
        view.entries().into_iter().map(|(key, envelope)| (key, envelope.event.text.clone())).collect();
    assert_eq!(shown, [("b".to_owned(), "new".to_owned()), ("c".to_owned(), "kept".to_owned())]);

    let mut changes = view.changes();
    producer.retire::<Note<20>>("c").await.unwrap();
    let change = changes.recv().await.unwrap();
    assert_eq!((change.key.as_str(), change.envelope.is_none(), view.len()), ("c", true, 1));
    stop(lifecycle).await;
}

#[tokio::test]
async fn a_record_that_cannot_be_read_leaves_the_last_valid_state() {
    let Some(fixture) = Fixture::new().await else { return };
    let producer = fixture.bus.producer();
    producer.publish(&note::<21>("a", "valid")).await.unwrap();
    let mut broken = fixture.bus.prepare(&note::<21>("a", "broken")).await.unwrap();
    broken = broken.with_value(b"\0\0\0\x03\xe9broken".to_vec());
    producer.send(&broken).await.unwrap();
    producer.publish(&note::<21>("b", "next")).await.unwrap();

    let lifecycle = Lifecycle::manual();
    let (view, task) = fixture.bus.view::<Note<21>>(lifecycle.stopping());
    lifecycle.spawn("view", task);
    view.caught_up().await;
    assert_eq!(view.get("a").unwrap().event.text, "valid");
    assert_eq!(view.get("b").unwrap().event.text, "next");
    stop(lifecycle).await;

    // Another process of the service meets the record too, and finds that it is kept.
    let (lifecycle, second) = (Lifecycle::manual(), fixture.second().await);
    let (view, task) = second.view::<Note<21>>(lifecycle.stopping());
    lifecycle.spawn("view", task);
    view.caught_up().await;
    assert_eq!((view.get("a").unwrap().event.text.as_str(), view.len()), ("valid", 2));
    stop(lifecycle).await;
    let letters = fixture.bus.dead_letters("bus-test-21", "tester").list().await.unwrap();
    assert_eq!(letters.iter().map(|letter| letter.reason.as_str()).collect::<Vec<_>>(), ["undecodable"]);
}

#[tokio::test]
async fn a_view_and_a_follower_share_a_client() {
    let Some(fixture) = Fixture::new().await else { return };
    let producer = fixture.bus.producer();
    producer.publish_all(&[note::<25>(IN_0, "old"), note(IN_0, "new"), note(IN_1, "gone")]).await.unwrap();
    producer.retire::<Note<25>>(IN_1).await.unwrap();
    let (lifecycle, view, store) = (Lifecycle::manual(), View::<Note<25>>::default(), Store::default());
    let followers = fixture.bus.followers(From::Beginning).view(&view).with::<Note<26>, _>(store.clone());
    lifecycle.spawn("follow", followers.run(lifecycle.stopping()));
    view.caught_up().await;
    assert_eq!((view.len(), view.get(IN_0).unwrap().event.text.as_str()), (1, "new"));
    assert_eq!(view.next_offsets(), [(0, 2), (1, 2)].into());
    producer.publish(&note::<26>("a", "live")).await.unwrap();
    store.holding(1).await;
    producer.retire::<Note<25>>(IN_0).await.unwrap();
    view.until(View::is_empty).await;
    stop(lifecycle).await;
}

#[tokio::test]
async fn a_view_is_complete_only_when_it_holds_what_the_heads_say() {
    let Some(fixture) = Fixture::new().await else { return };
    let producer = fixture.bus.producer();
    let positions = producer.publish_all(&[note::<22>(IN_0, "one"), note(IN_1, "two")]).await.unwrap();
    let next = |partition: i32, more: i64| {
        positions.iter().find(|p| p.partition == partition).unwrap().offset + 1 + more
    };
    let head = |live_keys, more| CatalogHeads {
        repository: "views".to_owned(),
        epoch: domain::id::Epoch(1),
        revision: domain::id::Revision(1),
        commit: "a".repeat(40).parse().unwrap(),
        topics: vec![TopicHead {
            topic: Note::<22>::TOPIC.name.to_owned(),
            next_offsets: vec![next(0, more), next(1, 0)],
            live_keys,
        }],
    };
    let lifecycle = Lifecycle::manual();
    let (view, task) = fixture.bus.view::<Note<22>>(lifecycle.stopping());
    lifecycle.spawn("view", task);
    let (heads, task) = fixture.bus.view::<CatalogHeads>(lifecycle.stopping());
    lifecycle.spawn("heads", task);
    view.caught_up().await;
    heads.caught_up().await;
    assert!(!view.complete(&heads), "without a head nothing is proved");

    let seen = async |head: CatalogHeads| {
        let envelope = fixture.bus.envelope(domain::id::derived_id(&["head"]), head.clone());
        producer.publish(&envelope).await.unwrap();
        let shown = async || heads.get("views").filter(|shown| shown.event == head).map(|_| ());
        eventually(shown).await;
    };
    seen(head(3, 0)).await;
    assert!(!view.complete(&heads), "a key is missing");
    seen(head(2, 1)).await;
    assert!(!view.complete(&heads), "an offset was not passed");
    producer.publish(&note::<22>(IN_0, "one, again")).await.unwrap();
    eventually(async || view.complete(&heads).then_some(())).await;
    view.completed(&heads).await;
    stop(lifecycle).await;
}
