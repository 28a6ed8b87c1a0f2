//! How often the registry is asked, and what it is told.

use event_bus::Consumption;
use runtime::Lifecycle;

use crate::fixture::{Fixture, Note, Store, note, stop, unique};

#[tokio::test]
async fn the_registry_is_asked_once_per_schema() {
    let Some(fixture) = Fixture::new().await else { return };
    let notes: Vec<_> = (0..20).map(|n| note::<11>("a", &n.to_string())).collect();
    fixture.bus.producer().publish_all(&notes).await.unwrap();
    let (lifecycle, store) = (Lifecycle::manual(), Store::default());
    let task = fixture.bus.consume::<Note<11>, _>(
        &unique("asking"),
        store.clone(),
        Consumption::Worker,
        lifecycle.stopping(),
    );
    lifecycle.spawn("asking", task);
    store.holding(20).await;
    stop(lifecycle).await;
    assert_eq!(
        fixture.registry.asked(),
        [
            "POST /subjects/bus-test-11-value",
            "POST /subjects/bus-test-11-value/versions",
            "GET /schemas/ids/1001",
        ]
    );
}

#[tokio::test]
async fn a_lost_registry_is_restored_with_the_ids_of_the_lock_file() {
    let Some(fixture) = Fixture::new().await else { return };
    let registry = fixture.bus.registry();
    assert_eq!(registry.restore().await.unwrap(), []);
    for version in events::schemas::ALL {
        registry.writer(version.id).await.unwrap();
    }
    let asked = fixture.registry.asked().len();
    assert_eq!(registry.restore().await.unwrap(), []);
    let again = fixture.registry.asked().split_off(asked);
    assert_eq!(again.len(), events::schemas::ALL.len(), "known versions are looked up and not written again");
}

#[tokio::test]
async fn records_of_ours_are_read_though_the_registry_lost_their_schemas() {
    let Some(fixture) = Fixture::new().await else { return };
    let version = events::schemas::newest("deploy-orders").unwrap();
    fixture.bus.registry().writer(version.id).await.unwrap();
    assert_eq!(fixture.registry.asked(), [format!("GET /schemas/ids/{}", version.id.0)]);
}

#[tokio::test]
async fn an_id_that_nobody_knows_is_not_asked_for_again_and_again() {
    let Some(fixture) = Fixture::new().await else { return };
    for _ in 0..5 {
        let error = fixture.bus.registry().writer(events::wire::SchemaId(77)).await.unwrap_err();
        assert_eq!(error.to_string(), "the schema registry knows no schema 77");
    }
    assert_eq!(fixture.registry.asked(), ["GET /schemas/ids/77"]);
}
