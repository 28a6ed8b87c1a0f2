//! Orders that cannot be done, and workers that die.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use events::{DeployOrder, GatewayKind, OrderKind, Outcome, StepPhase};
use runtime::Clock as _;
use saga::{Hook, Moment, Point};
use uuid::Uuid;

use crate::{
    fixture::{Fixture, eventually, order, stop},
    gateway::Replica,
};

fn said(outcome: Outcome, reason: &str) -> (Outcome, Option<String>) {
    (outcome, Some(reason.to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_cannot_be_done_fails_with_its_reason_and_holds_no_other_up() {
    let Some(fixture) = Fixture::new().await else { return };
    let refusing = Replica::start(&fixture.bus, "refusing", "refusing-1", |_| true);
    let serving = Replica::start(&fixture.bus, "willing", "willing-1", |_| false);
    let worker = fixture.worker().await;
    let lonely = order("lonely", "pets", 1, "http://127.0.0.1:9");
    let refused = order("refusing", "pets", 1, &refusing.address);
    let bare = DeployOrder { document: None, ..order("willing", "bare", 1, &serving.address) };
    let mut elsewhere = order("willing", "elsewhere", 1, &serving.address);
    elsewhere.target.kind = GatewayKind::Webmethods;
    let mut late = order("willing", "late", 1, &serving.address);
    late.deadline = runtime::SystemClock.now();
    // Its gateway acknowledges, but callers are sent to another one.
    let astray = order("willing", "astray", 1, &refusing.address);
    let good = order("willing", "pets", 1, &serving.address);
    for order in [&lonely, &refused, &bare, &elsewhere, &late, &astray, &good] {
        fixture.order(order).await;
    }
    assert_eq!(fixture.ended(&good).await, (Outcome::Succeeded, None));
    assert_eq!(fixture.ended(&bare).await, said(Outcome::Failed, "invalid-document"));
    assert_eq!(fixture.ended(&elsewhere).await, said(Outcome::Failed, "unsupported-gateway"));
    assert_eq!(fixture.ended(&late).await, said(Outcome::Expired, "expired"));
    assert_eq!(fixture.ended(&refused).await, said(Outcome::Failed, "refused-by-gateway"));
    assert_eq!(fixture.ended(&astray).await, said(Outcome::Failed, "not-verified"));
    assert_eq!(fixture.ended(&lonely).await, said(Outcome::Failed, "no-gateway"));
    let all = fixture.everything().await;
    let last = all.history(&refused).pop().unwrap();
    let message = "refused-by-gateway: replica `refusing-1` refused the route: not today";
    assert_eq!(last, ("acknowledge".to_owned(), StepPhase::Failed, Some(message.to_owned())));
    assert_eq!(all.steps(&bare).len(), 2, "nothing is begun that preflight refuses");

    // The route of the lonely one stays, and the gateway serves it when it comes.
    let comes = Replica::start(&fixture.bus, "lonely", "lonely-1", |_| false);
    let path = format!("/apis/{}/pets/", lonely.tenant);
    eventually(async || comes.served.lock().unwrap().get(&path).copied()).await;
    stop(worker).await;
    for replica in [refusing, serving, comes] {
        replica.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_order_ends_early_only_by_a_cancel() {
    let Some(fixture) = Fixture::new().await else { return };
    let worker = fixture.worker().await;
    let running = order("waiting", "pets", 1, "http://127.0.0.1:9");
    fixture.order(&running).await;
    fixture.told(&running, "acknowledge", StepPhase::Started).await;
    let cancel = DeployOrder {
        kind: OrderKind::Cancel,
        cancels: Some(running.order_id),
        ..order("waiting", "pets", 2, "http://127.0.0.1:9")
    };
    fixture.order(&cancel).await;
    assert_eq!(fixture.ended(&cancel).await, (Outcome::Succeeded, None));
    assert_eq!(fixture.ended(&running).await, said(Outcome::Cancelled, "cancelled"));
    stop(worker).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_route_gives_way_to_what_was_served_before_it_also_after_a_crash() {
    let Some(fixture) = Fixture::new().await else { return };
    let replica = Replica::start(&fixture.bus, "picky", "picky-1", |route| route.version == "broken");
    let first = order("picky", "pets", 1, &replica.address);
    let broken = DeployOrder { version: "broken".to_owned(), ..order("picky", "pets", 2, &replica.address) };
    let third = order("picky", "pets", 3, &replica.address);
    let died = Arc::new(Mutex::new(false));
    let (end, grave) = (broken.order_id, Arc::clone(&died));
    let hook: Hook = Arc::new(move |id, point, moment| {
        let decided = Point::Transition("decided".to_owned());
        let here = id == end && *point == decided && moment == Moment::Within;
        here && !std::mem::replace(&mut *grave.lock().unwrap(), true)
    });
    let mortal = fixture.mortal_worker(hook).await;
    fixture.order(&first).await;
    assert_eq!(fixture.ended(&first).await, (Outcome::Succeeded, None));
    fixture.order(&broken).await;
    eventually(async || died.lock().unwrap().then_some(())).await;
    stop(mortal).await;
    let worker = fixture.worker().await;
    assert_eq!(fixture.ended(&broken).await, said(Outcome::Failed, "refused-by-gateway"));

    // What a replica finds that starts now: the former content, and no trace of the detour.
    let key = format!("{}/pets/picky", first.tenant);
    let routes = fixture.routes(&key).await;
    assert!(routes.keys().eq([&key]), "{routes:?}");
    let route = &routes[&key].event;
    assert_eq!((route.generation, &route.digest), (broken.generation, &first.digest));
    assert_eq!((route.order_id, route.version.as_str()), (first.order_id, "1"));
    let path = format!("/apis/{}/pets/", first.tenant);
    let served = async || replica.served.lock().unwrap().get(&path).copied();
    eventually(async || served().await.filter(|served| *served == broken.generation)).await;

    fixture.order(&third).await;
    assert_eq!(fixture.ended(&third).await, (Outcome::Succeeded, None));
    let routes = fixture.routes(&key).await;
    assert!(routes.keys().eq([&key]), "{routes:?}");
    assert_eq!(routes[&key].event.digest, third.digest);
    stop(worker).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_told_before_is_carried_out_once_more_by_a_sync() {
    let Some(fixture) = Fixture::new().await else { return };
    let worker = fixture.worker().await;
    // Nobody was there.
    let first = order("absent", "pets", 1, "http://127.0.0.1:9");
    fixture.order(&first).await;
    assert_eq!(fixture.ended(&first).await, said(Outcome::Failed, "no-gateway"));
    let replica = Replica::start(&fixture.bus, "absent", "absent-1", |_| false);
    let again = DeployOrder {
        kind: OrderKind::Sync,
        digest: first.digest.clone(),
        ..order("absent", "pets", 2, &replica.address)
    };
    fixture.order(&again).await;
    assert_eq!(fixture.ended(&again).await, (Outcome::Succeeded, None));
    let path = format!("/apis/{}/pets/", again.tenant);
    assert_eq!(replica.served.lock().unwrap().get(&path), Some(&again.generation));
    stop(worker).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_its_topic_no_longer_holds_ends_all_the_same() {
    let Some(fixture) = Fixture::new().await else { return };
    let lost = order("lost", "pets", 1, "http://127.0.0.1:9");
    fixture.remember(3, &lost).await;
    let worker = fixture.worker().await;
    assert_eq!(fixture.ended(&lost).await, said(Outcome::Expired, "order-lost"));
    stop(worker).await;
    let again = fixture.worker().await;
    stop(again).await;
    assert_eq!(fixture.everything().await.results(&lost).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_a_worker_dies_every_order_ends_once() {
    let Some(fixture) = Fixture::new().await else { return };
    let replica = Replica::start(&fixture.bus, "crashing", "crashing-1", |_| false);
    let transition = |name: &str, moment| (Point::Transition(name.to_owned()), moment);
    let points = [
        transition("accepted", Moment::After),
        (Point::Effect("route".to_owned()), Moment::After),
        transition("done:route", Moment::Within),
        transition("intent:acknowledge", Moment::After),
        (Point::Effect("probe".to_owned()), Moment::After),
        transition("decided", Moment::Within),
    ];
    // A partition for each point, because dying ends the work on one.
    let orders: Vec<DeployOrder> =
        (0..points.len()).map(|at| order("crashing", &format!("pets-{at}"), 1, &replica.address)).collect();
    let died = Arc::new(Mutex::new(HashSet::<Uuid>::new()));
    let plan: Vec<_> = orders.iter().map(|order| order.order_id).zip(points).collect();
    let graves = Arc::clone(&died);
    let hook: Hook = Arc::new(move |id, point, moment| {
        let here = plan.iter().any(|(order, (p, m))| *order == id && p == point && *m == moment);
        here && graves.lock().unwrap().insert(id)
    });
    let first = fixture.mortal_worker(hook).await;
    let dead = async |count| eventually(async || (died.lock().unwrap().len() == count).then_some(())).await;
    // A transaction that is open keeps the gateway from reading on in its partition of the routes, and from
    // acknowledging: whoever leaves one comes last.
    let blocking = 2;
    for (partition, order) in (0..).zip(&orders).filter(|(partition, _)| *partition != blocking) {
        fixture.order_to(partition, order).await;
    }
    dead(orders.len() - 1).await;
    fixture.order_to(blocking, &orders[2]).await;
    dead(orders.len()).await;
    stop(first).await;

    let second = fixture.worker().await;
    for order in &orders {
        assert_eq!(fixture.ended(order).await, (Outcome::Succeeded, None), "{}", order.api);
    }
    stop(second).await;
    // A third one finds nothing to do.
    let third = fixture.worker().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop(third).await;
    let all = fixture.everything().await;
    for order in &orders {
        assert_eq!(all.results(order).len(), 1, "{}", order.api);
        let steps = all.steps(order);
        let numbers: BTreeSet<_> = steps.iter().map(|step| step.sequence).collect();
        assert_eq!(numbers.len(), steps.len(), "{steps:?}");
        let path = format!("/apis/{}/{}/", order.tenant, order.api);
        assert_eq!(replica.served.lock().unwrap().get(&path), Some(&order.generation));
    }
    replica.stop().await;
}
