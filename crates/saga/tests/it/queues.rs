//! Orders of one key and of many.

use std::{sync::Arc, time::Duration};

use domain::id::derived_id;
use tokio::sync::Notify;

use crate::fixture::{Fixture, Order, Process, Shop, eventually, order, unique, within};

fn said(outcome: &str, reason: &str) -> (String, String) {
    (outcome.to_owned(), reason.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_in_trouble_holds_nobody_up_and_ends_with_its_reason() {
    let Some(fixture) = Fixture::new().await else { return };
    let shop = Shop::default();
    *shop.world.down_for.lock().unwrap() = Some("troubled".to_owned());
    let process = Process::start::<2>(&fixture, &unique("queues"), shop.clone(), None).await;
    let troubled = within::<2>("troubled", "troubled", 1, Duration::from_secs(3));
    let (fine, impossible) = (order::<2>("fine", "fine", 1), order::<2>("impossible", "impossible", 1));
    let late = within::<2>("late", "late", 1, Duration::ZERO);
    for order in [&troubled, &fine, &impossible, &late] {
        fixture.order(0, order).await;
    }
    assert_eq!(fixture.ending(&fine).await, said("succeeded", ""));
    assert_eq!(fixture.ending(&impossible).await, said("failed", "impossible"));
    assert_eq!(fixture.ending(&late).await, said("expired", "expired"));
    assert_eq!(fixture.ending(&troubled).await, said("failed", "down"));
    // The same orders again: they are known.
    for order in [&troubled, &fine, &impossible, &late] {
        fixture.order(0, order).await;
    }
    let newer = order::<2>("newer", "troubled", 2);
    *shop.world.down_for.lock().unwrap() = None;
    fixture.order(0, &newer).await;
    assert_eq!(fixture.ending(&newer).await, said("succeeded", ""));
    let older = order::<2>("older", "troubled", 1);
    fixture.order(0, &older).await;
    assert_eq!(fixture.ending(&older).await, said("superseded", "superseded"));
    process.stop().await;
    assert_eq!(fixture.endings::<2>().await.len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_order_ends_early_only_by_a_cancel() {
    let Some(fixture) = Fixture::new().await else { return };
    let goes_on = Arc::new(Notify::new());
    let shop = Shop { stalled: Some(Arc::clone(&goes_on)), ..Shop::default() };
    let process = Process::start::<3>(&fixture, &unique("cancelling"), shop.clone(), None).await;
    let running = order::<3>("running", "key", 1);
    fixture.order(0, &running).await;
    eventually(async || shop.world.set.lock().unwrap().contains_key("key").then_some(())).await;
    let (waiting, newest) = (order::<3>("waiting", "key", 2), order::<3>("newest", "key", 3));
    fixture.order(0, &waiting).await;
    fixture.order(0, &newest).await;
    assert_eq!(fixture.ending(&waiting).await, said("superseded", "superseded"));
    assert_eq!(fixture.endings::<3>().await.len(), 1, "the running one goes on");

    let cancel = |name: &str, target: &Order<3>| Order::<3> {
        cancels: target.id.clone(),
        ..order::<3>(name, "key", 3)
    };
    let cancels = cancel("cancel", &running);
    fixture.order(0, &cancels).await;
    assert_eq!(fixture.ending(&cancels).await, said("succeeded", ""));
    assert_eq!(fixture.ending(&running).await, said("cancelled", "cancelled"));
    let in_vain = cancel("in vain", &running);
    fixture.order(0, &in_vain).await;
    assert_eq!(fixture.ending(&in_vain).await, said("failed", "nothing-to-cancel"));

    eventually(async || {
        goes_on.notify_waiters();
        fixture.endings::<3>().await.iter().any(|ending| ending.id == newest.id).then_some(())
    })
    .await;
    process.stop().await;
    assert_eq!(shop.world.charged.lock().unwrap().get(&running.id), None);
    assert_eq!(shop.world.charged.lock().unwrap().get(&derived_id(&["newest"]).to_string()), Some(&1));
}
