//! Two holders who both believe they hold.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use crate::fixture::{Fixture, Process, Shop, World, eventually, order, unique, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_holder_that_wakes_up_late_changes_nothing() {
    let Some(fixture) = Fixture::new().await else { return };
    let world = World::default();
    let order = order::<1>("stalled", "key", 1);
    fixture.order(0, &order).await;
    let wakes = Arc::new(Notify::new());
    let stalled = Shop {
        world: world.clone(),
        stalled: Some(Arc::clone(&wakes)),
        charge_timeout: Some(Duration::from_secs(2)),
        ..Shop::default()
    };
    // Two groups, so that the broker never tells the first that it lost its partition.
    let first = Process::start::<1>(&fixture, &unique("former"), stalled.clone(), None).await;
    eventually(async || world.set.lock().unwrap().contains_key("key").then_some(())).await;
    let begun = std::time::Instant::now();
    let shop = Shop { world: world.clone(), charge_timeout: stalled.charge_timeout, ..Shop::default() };
    let second = Process::start::<1>(&fixture, &unique("successor"), shop, None).await;
    assert_eq!(fixture.ending(&order).await, ("succeeded".to_owned(), String::new()));
    // Charging must not be repeated before the former holder's intent has passed.
    assert!(begun.elapsed() > Duration::from_secs(1), "{:?}", begun.elapsed());

    wakes.notify_waiters();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let other = within::<1>("other", "other", 2, Duration::from_secs(20));
    fixture.order(0, &other).await;
    assert_eq!(fixture.ending(&other).await.0, "succeeded");
    first.stop().await;
    second.stop().await;
    let endings = fixture.endings::<1>().await;
    assert_eq!(endings.iter().filter(|ending| ending.id == order.id).count(), 1);
    assert_eq!(endings.iter().filter(|ending| ending.id == other.id).count(), 1);
    assert_eq!(world.charged.lock().unwrap().get(&order.id), Some(&1));
}
