//! Live reading without a group.

use event_bus::From;
use runtime::Lifecycle;

use crate::fixture::{Fixture, Note, Store, eventually, note, stop};

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
