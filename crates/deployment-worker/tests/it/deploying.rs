//! The way of an order that goes well.

use domain::id::{Epoch, Generation, Revision};
use events::{
    DeployOrder, GatewayRoute, OrderKind, Outcome,
    StepPhase::{Finished, Log, Started},
};

use crate::{
    fixture::{Fixture, eventually, order, removal, stop},
    gateway::Replica,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_served_by_every_replica_and_taken_away_again() {
    let Some(fixture) = Fixture::new().await else { return };
    let (one, two) = (
        Replica::start(&fixture.bus, "serving", "serving-1", |_| false),
        Replica::start(&fixture.bus, "serving", "serving-2", |_| false),
    );
    let worker = fixture.worker().await;
    let order = order("serving", "pets", 7, &one.address);
    fixture.order(&order).await;
    assert_eq!(fixture.ended(&order).await, (Outcome::Succeeded, None));
    let path = format!("/apis/{}/pets/", order.tenant);
    for replica in [&one, &two] {
        let served = Generation { epoch: Epoch(1), revision: Revision(7) };
        assert_eq!(replica.served.lock().unwrap().get(&path), Some(&served));
    }
    let history = fixture.everything().await.history(&order);
    let told: Vec<_> = history.iter().map(|(step, phase, _)| (step.as_str(), *phase)).collect();
    assert_eq!(
        told,
        [
            ("preflight", Started),
            ("preflight", Log),
            ("preflight", Finished),
            ("route", Started),
            ("route", Log),
            ("route", Finished),
            ("acknowledge", Started),
            ("acknowledge", Log),
            ("acknowledge", Finished),
            ("probe", Started),
            ("probe", Log),
            ("probe", Finished),
        ]
    );
    assert_eq!(history[7].2.as_deref(), Some("acknowledged by serving-1, serving-2"));

    let removal = removal(&order, 8);
    fixture.order(&removal).await;
    assert_eq!(fixture.ended(&removal).await, (Outcome::Succeeded, None));
    assert_eq!(one.served.lock().unwrap().get(&path), None);
    // An order that comes too late changes nothing.
    let late = crate::fixture::order("serving", "pets", 6, &one.address);
    fixture.order(&late).await;
    assert_eq!(fixture.ended(&late).await, (Outcome::Superseded, Some("superseded".to_owned())));
    stop(worker).await;
    assert_eq!(one.served.lock().unwrap().get(&path), None);
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_that_drifts_is_written_again() {
    let Some(fixture) = Fixture::new().await else { return };
    let replica = Replica::start(&fixture.bus, "drifting", "drifting-1", |_| false);
    let worker = fixture.worker().await;
    let order = order("drifting", "pets", 3, &replica.address);
    fixture.order(&order).await;
    assert_eq!(fixture.ended(&order).await, (Outcome::Succeeded, None));
    let path = format!("/apis/{}/pets/", order.tenant);
    // Somebody removes the route behind the worker's back.
    let key = format!("{}/pets/drifting", order.tenant);
    fixture.bus.producer().retire::<GatewayRoute>(&key).await.unwrap();
    eventually(async || replica.served.lock().unwrap().get(&path).is_none().then_some(())).await;
    eventually(async || replica.served.lock().unwrap().get(&path).is_some().then_some(())).await;
    fixture.told(&order, "reconcile", Log).await;
    assert_eq!(fixture.everything().await.results(&order).len(), 1, "a repair is no second outcome");
    stop(worker).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_live_before_the_broker_was_lost_is_brought_back() {
    let Some(fixture) = Fixture::new().await else { return };
    let replica = Replica::start(&fixture.bus, "recovering", "recovering-1", |_| false);
    let worker = fixture.worker().await;
    let before = order("recovering", "pets", 900, &replica.address);
    fixture.order(&before).await;
    assert_eq!(fixture.ended(&before).await, (Outcome::Succeeded, None));
    let generation = Generation { epoch: Epoch(2), revision: Revision(1) };
    let again = order("recovering", "pets", 1, &replica.address);
    let again = DeployOrder { kind: OrderKind::Reassert, generation, ..again };
    fixture.order(&again).await;
    assert_eq!(fixture.ended(&again).await, (Outcome::Succeeded, None));
    let path = format!("/apis/{}/pets/", again.tenant);
    assert_eq!(replica.served.lock().unwrap().get(&path), Some(&generation));
    stop(worker).await;
    replica.stop().await;
}
