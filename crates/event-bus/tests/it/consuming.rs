//! What a consumer promises.

use std::sync::Arc;

use event_bus::{Consumption, Delivery, Handle};
use events::Envelope;
use runtime::Lifecycle;
use tokio::sync::Notify;

use crate::fixture::{Fixture, IN_0, IN_1, Note, Store, eventually, note, stop, unique};

#[tokio::test]
async fn records_arrive_in_order_per_key_with_what_their_headers_say() {
    /// Envelope, key and `ce_subject`.
    type Record = (Envelope<Note<0>>, String, Option<String>);
    #[derive(Clone, Default)]
    struct Seen(Arc<std::sync::Mutex<Vec<Record>>>);
    impl Handle<Note<0>> for Seen {
        async fn handle(
            &self,
            envelope: &Envelope<Note<0>>,
            delivery: &Delivery,
        ) -> Result<(), domain::Failure> {
            let subject = delivery.header(events::headers::SUBJECT).map(str::to_owned);
            self.0.lock().unwrap().push((envelope.clone(), delivery.key(), subject));
            Ok(())
        }
    }

    let Some(fixture) = Fixture::new().await else { return };
    let written: Vec<_> = (0..50).map(|n| note::<0>("a", &n.to_string())).collect();
    fixture.bus.producer().publish_all(&written).await.unwrap();
    let (lifecycle, seen) = (Lifecycle::manual(), Seen::default());
    let task =
        fixture.bus.consume(&unique("order"), seen.clone(), Consumption::Projection, lifecycle.stopping());
    lifecycle.spawn("order", task);
    eventually(async || (seen.0.lock().unwrap().len() == 50).then_some(())).await;
    stop(lifecycle).await;

    let seen = seen.0.lock().unwrap().clone();
    assert_eq!(seen.iter().map(|(envelope, ..)| envelope.clone()).collect::<Vec<_>>(), written);
    assert!(seen.iter().all(|(_, key, subject)| key == "a" && subject.as_deref() == Some("notes/a")));
}

#[tokio::test]
async fn a_store_that_is_down_pauses_its_partition_and_no_other() {
    let Some(fixture) = Fixture::new().await else { return };
    let producer = fixture.bus.producer();
    let (lifecycle, store) = (Lifecycle::manual(), Store::default());
    store.goes_down_for(IN_0);
    for n in 0..3 {
        producer.publish(&note::<1>(IN_0, &format!("waiting {n}"))).await.unwrap();
        producer.publish(&note::<1>(IN_1, &format!("passing {n}"))).await.unwrap();
    }
    let group = unique("pausing");
    let task = fixture.bus.consume::<Note<1>, _>(
        &group,
        store.clone(),
        Consumption::Projection,
        lifecycle.stopping(),
    );
    lifecycle.spawn("pausing", task);
    assert_eq!(store.holding(3).await, ["passing 0", "passing 1", "passing 2"]);

    store.comes_back();
    assert_eq!(store.holding(6).await[3..], ["waiting 0", "waiting 1", "waiting 2"]);
    stop(lifecycle).await;
    assert_eq!(fixture.bus.dead_letters("bus-test-1", &group).list().await.unwrap(), []);
    let metrics = fixture.metrics.encode();
    let handled = format!(
        "stoa_bus_records_handled_total{{service=\"test\",topic=\"bus-test-1\",group=\"{group}\"}} 6"
    );
    assert!(metrics.contains(&handled), "{metrics}");
}

/// Takes a note only when it is told to.
#[derive(Clone, Default)]
struct Slow {
    begun: Arc<Notify>,
    go_on: Arc<Notify>,
    store: Store,
}

impl Handle<Note<2>> for Slow {
    async fn handle(&self, envelope: &Envelope<Note<2>>, delivery: &Delivery) -> Result<(), domain::Failure> {
        self.begun.notify_one();
        self.go_on.notified().await;
        self.store.handle(envelope, delivery).await
    }
}

#[tokio::test]
async fn a_soft_stop_finishes_the_record_in_hand_and_leaves_the_rest_for_the_next() {
    let Some(fixture) = Fixture::new().await else { return };
    let group = unique("stopping");
    let notes = [note::<2>("a", "in hand"), note("a", "next"), note("a", "last")];
    fixture.bus.producer().publish_all(&notes).await.unwrap();
    let (lifecycle, slow) = (Lifecycle::manual(), Slow::default());
    let task = fixture.bus.consume(&group, slow.clone(), Consumption::Worker, lifecycle.stopping());
    lifecycle.spawn("stopping", task);
    slow.begun.notified().await;
    lifecycle.stopper().stop();
    let ended = lifecycle.outcome();
    slow.go_on.notify_one();
    assert_eq!(ended.await, runtime::Outcome::Clean);
    assert_eq!(slow.store.taken(), ["in hand"]);

    let (lifecycle, store) = (Lifecycle::manual(), Store::default());
    let task =
        fixture.bus.consume::<Note<2>, _>(&group, store.clone(), Consumption::Worker, lifecycle.stopping());
    lifecycle.spawn("successor", task);
    assert_eq!(store.holding(2).await, ["next", "last"]);
    stop(lifecycle).await;
}

#[tokio::test]
async fn a_record_larger_than_its_topic_allows_is_refused_before_it_is_sent() {
    let Some(fixture) = Fixture::new().await else { return };
    let large = note::<3>("a", &"x".repeat(1024 * 1024));
    let error = fixture.bus.producer().publish(&large).await.unwrap_err();
    assert_eq!(error.to_string(), "a record of 1048587 bytes is larger than `bus-test-3` allows");
}
