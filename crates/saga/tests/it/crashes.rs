//! The crash table: a holder is killed at every point of an order's life, and a successor brings it to its end.

use std::{
    collections::BTreeMap,
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use saga::{Hook, Moment, Point};
use uuid::Uuid;

use crate::fixture::{Fixture, Order, PARTITIONS, Process, Shop, World, eventually, order, unique};

/// Every point at which a holder can die.
fn points() -> Vec<(Point, Moment)> {
    let transitions = ["accepted", "intent:set", "done:set", "intent:charge", "done:charge", "decided"];
    let mut points: Vec<_> = transitions
        .into_iter()
        .flat_map(|name| {
            [Moment::Before, Moment::Within, Moment::After]
                .map(|moment| (Point::Transition(name.to_owned()), moment))
        })
        .collect();
    points.extend(["set", "charge"].map(|step| (Point::Effect(step.to_owned()), Moment::After)));
    points
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_a_holder_dies_every_order_ends_once_and_no_effect_is_doubled() {
    let Some(fixture) = Fixture::new().await else { return };
    let group = unique("crashes");
    let world = World::default();
    // A partition for each point, so that the whole table runs at once.
    let table: BTreeMap<Uuid, (i32, Point, Moment, Order<0>)> = points()
        .into_iter()
        .zip(0..PARTITIONS)
        .map(|((point, moment), partition)| {
            let order = order::<0>(&format!("{point:?} {moment:?}"), &format!("key-{partition}"), 1);
            (order.id.parse().unwrap(), (partition, point, moment, order))
        })
        .collect();
    assert_eq!(table.len(), 20);
    for (partition, .., order) in table.values() {
        fixture.order(*partition, order).await;
    }

    let died = Arc::new(Mutex::new(HashSet::new()));
    let (plan, graves) = (table.clone(), Arc::clone(&died));
    let hook: Hook = Arc::new(move |id, point, moment| {
        let here = plan.get(&id).is_some_and(|(_, p, m, _)| p == point && *m == moment);
        here && graves.lock().unwrap().insert(id)
    });
    let shop = Shop { world: world.clone(), charge_timeout: Some(Duration::from_secs(2)), ..Shop::default() };
    let first = Process::start::<0>(&fixture, &group, shop.clone(), Some(hook)).await;
    eventually(async || (died.lock().unwrap().len() == table.len()).then_some(())).await;
    first.stop().await;

    let second = Process::start::<0>(&fixture, &group, shop, None).await;
    fixture.ended::<0>(table.len()).await;
    second.stop().await;
    // A third holder finds nothing to do.
    let third =
        Process::start::<0>(&fixture, &group, Shop { world: world.clone(), ..Shop::default() }, None).await;
    third.stop().await;

    let endings = fixture.endings::<0>().await;
    for (id, (_, point, moment, order)) in &table {
        let own: Vec<_> = endings.iter().filter(|ending| ending.id == id.to_string()).collect();
        let outcomes: Vec<_> = own.iter().map(|ending| ending.outcome.as_str()).collect();
        assert_eq!(outcomes, ["succeeded"], "{point:?} {moment:?}");
        assert_eq!(world.set.lock().unwrap().get(&order.key), Some(&1), "{point:?} {moment:?}");
        assert_eq!(world.charged.lock().unwrap().get(&order.id), Some(&1), "{point:?} {moment:?}");
    }
    assert_eq!(endings.len(), table.len());
}
