//! Members that come, go and take over from each other.

use std::sync::{Arc, Mutex};

use domain::Failure;
use event_bus::{Consumption, Error, Hold, Partitioned, Start};
use runtime::Lifecycle;

use crate::fixture::{Fixture, IN_0, IN_1, Note, Store, eventually, note, stop, unique};

/// Keeps a store, and remembers which partitions it held.
#[derive(Clone, Default)]
struct Keeper {
    store: Store,
    holds: Arc<Mutex<Vec<(i32, Hold)>>>,
    start: Option<i64>,
}

impl Keeper {
    fn held(&self) -> Vec<i32> {
        let holds = self.holds.lock().unwrap();
        let mut held: Vec<i32> = holds.iter().filter(|(_, hold)| hold.is_held()).map(|(p, _)| *p).collect();
        held.sort_unstable();
        held
    }

    async fn holding(&self, partitions: &[i32]) {
        eventually(async || (self.held() == partitions).then_some(())).await;
    }
}

impl<const N: usize> Partitioned<Note<N>> for Keeper {
    type Session = Store;

    async fn start(&self, _: i32) -> Result<Start, Failure> {
        Ok(self.start.map_or(Start::Committed, Start::At))
    }

    async fn open(&self, partition: i32, hold: Hold) -> Result<Store, Failure> {
        self.holds.lock().unwrap().push((partition, hold));
        Ok(self.store.clone())
    }
}

#[tokio::test]
async fn a_second_member_takes_its_share_and_inherits_the_rest() {
    let Some(fixture) = Fixture::new().await else { return };
    let second_bus = fixture.second().await;
    let group = unique("sharing");
    let (first, second) = (Keeper::default(), Keeper::default());
    let (one, two) = (Lifecycle::manual(), Lifecycle::manual());
    one.spawn(
        "one",
        fixture.bus.consume_partitions::<Note<6>, _>(
            &group,
            first.clone(),
            Consumption::Worker,
            one.stopping(),
        ),
    );
    first.holding(&[0, 1]).await;
    two.spawn(
        "two",
        second_bus.consume_partitions::<Note<6>, _>(
            &group,
            second.clone(),
            Consumption::Worker,
            two.stopping(),
        ),
    );
    eventually(async || (first.held().len() == 1 && second.held().len() == 1).then_some(())).await;
    for key in [IN_0, IN_1] {
        fixture.bus.producer().publish(&note::<6>(key, key)).await.unwrap();
    }
    eventually(async || (first.store.taken().len() == 1 && second.store.taken().len() == 1).then_some(()))
        .await;

    stop(one).await;
    assert_eq!(first.held(), [0; 0]);
    second.holding(&[0, 1]).await;
    for key in [IN_0, IN_1] {
        fixture.bus.producer().publish(&note::<6>(key, "later")).await.unwrap();
    }
    assert_eq!(second.store.holding(3).await[1..], ["later", "later"]);
    stop(two).await;
}

#[tokio::test]
async fn a_member_that_died_is_replaced_within_its_session() {
    let Some(fixture) = Fixture::new().await else { return };
    let second_bus = fixture.second().await;
    let group = unique("dying");
    let (first, second) = (Keeper::default(), Keeper::default());
    let one = Lifecycle::manual().with_deadline(std::time::Duration::ZERO);
    one.spawn(
        "one",
        fixture.bus.consume_partitions::<Note<7>, _>(
            &group,
            first.clone(),
            Consumption::Worker,
            one.stopping(),
        ),
    );
    first.holding(&[0, 1]).await;
    first.store.goes_down_for("a");
    fixture.bus.producer().publish(&note::<7>("a", "unfinished")).await.unwrap();
    // Dropped without a stop: nothing is committed.
    drop(one);
    let two = Lifecycle::manual();
    two.spawn(
        "two",
        second_bus.consume_partitions::<Note<7>, _>(
            &group,
            second.clone(),
            Consumption::Worker,
            two.stopping(),
        ),
    );
    assert_eq!(second.store.holding(1).await, ["unfinished"]);
    stop(two).await;
}

#[tokio::test]
async fn a_group_begins_where_the_service_says() {
    let Some(fixture) = Fixture::new().await else { return };
    let notes: Vec<_> = (0..4).map(|n| note::<8>(IN_1, &n.to_string())).collect();
    fixture.bus.producer().publish_all(&notes).await.unwrap();
    let keeper = Keeper { start: Some(2), ..Keeper::default() };
    let lifecycle = Lifecycle::manual();
    // Partition 0 is empty: it holds offset 0 only, so that 2 would be refused there.
    let task = fixture.bus.consume_partitions::<Note<8>, _>(
        &unique("beginning"),
        From2(keeper.clone()),
        Consumption::Projection,
        lifecycle.stopping(),
    );
    lifecycle.spawn("beginning", task);
    assert_eq!(keeper.store.holding(2).await, ["2", "3"]);
    stop(lifecycle).await;
}

struct From2(Keeper);

impl Partitioned<Note<8>> for From2 {
    type Session = Store;

    async fn start(&self, partition: i32) -> Result<Start, Failure> {
        if partition == 0 {
            Ok(Start::Committed)
        } else {
            Partitioned::<Note<8>>::start(&self.0, partition).await
        }
    }

    async fn open(&self, partition: i32, hold: Hold) -> Result<Store, Failure> {
        Partitioned::<Note<8>>::open(&self.0, partition, hold).await
    }
}

#[tokio::test]
async fn an_offset_that_the_topic_does_not_hold_is_never_guessed() {
    let Some(fixture) = Fixture::new().await else { return };
    let keeper = Keeper { start: Some(1_000_000), ..Keeper::default() };
    let lifecycle = Lifecycle::manual();
    let group = unique("lost");
    let task = fixture.bus.consume_partitions::<Note<9>, _>(
        &group,
        keeper,
        Consumption::Projection,
        lifecycle.stopping(),
    );
    let error = tokio::time::timeout(std::time::Duration::from_secs(20), task).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::OffsetOutOfRange { .. }), "{error:?}");
}
