//! The broker's data is lost.

use std::collections::BTreeSet;

use events::{DeployOrder, DeployResult, OrderKind, Outcome};
use serde_json::Value;

use crate::{
    documents::{Files, deployed, tenant},
    faults::the_catalogue_is_what_the_api_shows,
    harness::Platform,
    session::Session,
    topics::{newest, records},
    waiting::eventually,
};

/// What the API shows of a tenant, but for what depends on the moment.
async fn shown(session: &Session, tenant: &str) -> Vec<Value> {
    let mut shown = session.list("admin", &format!("/v1/tenants/{tenant}/apis")).await;
    shown.push(session.get("admin", &format!("/v1/tenants/{tenant}")).await.expect(200));
    shown
}

#[tokio::test]
async fn a_lost_broker_undeploys_nothing_and_a_recovery_brings_everything_back() {
    let Some(platform) = Platform::start("lost", &["--demo"], Files::new()).await else { return };
    let session = platform.session().await;
    let checkout = session.checkout();
    let mut files = deployed("island", "ferry", "ferry");
    files.extend(deployed("island", "lighthouse", "light"));
    files.extend([tenant("island", "")]);
    let head = checkout.publish(&files, "An island");
    for (api, base) in [("ferry", "ferry"), ("lighthouse", "light")] {
        session.served("island", api, base).await;
    }
    eventually("both have ended", async || {
        let deployments = session.list("admin", "/v1/tenants/island/deployments").await;
        (deployments.len() == 2 && deployments.iter().all(|it| it["status"] == "succeeded")).then_some(())
    })
    .await;
    let before = shown(&session, "island").await;
    platform.stop().await;
    std::fs::remove_dir_all(platform.data.join("kafka")).unwrap();

    platform.up().await;
    let session = platform.session().await;
    let ready = session.http.get(session.connection.api.join("/health/ready").unwrap());
    let ready = crate::session::answer(ready).await;
    assert_eq!(ready.status, 503);
    assert!(ready.text.contains("stoa recover"), "{ready:?}");
    assert_eq!(shown(&session, "island").await, before);
    assert_eq!(session.checkout().head(), head);
    assert!(records::<DeployOrder>(&session.bus).await.is_empty());
    let asked = platform.stoa(&["recover"]);
    assert!(!asked.status.success());
    assert!(String::from_utf8_lossy(&asked.stderr).contains("--yes"));

    let done = platform.stoa(&["recover", "--yes", "--output", "json"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let done: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(done["epoch"], 2);
    for (api, base) in [("ferry", "ferry"), ("lighthouse", "light")] {
        session.served("island", api, base).await;
    }
    eventually("the demo is back", async || {
        let answer = session.try_call("ada", "/apis/demo/petstore/pets").await?;
        (answer.status == 200).then_some(())
    })
    .await;
    let again = session.get("admin", "/health/ready").await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(shown(&session, "island").await, before);

    let orders = records::<DeployOrder>(&session.bus).await;
    let kinds: BTreeSet<_> = orders.iter().map(|it| (it.event.kind, it.event.generation.epoch.0)).collect();
    assert_eq!(kinds, BTreeSet::from([(OrderKind::Reassert, 2)]));
    let results = eventually("every order ends", async || {
        let results = records::<DeployResult>(&session.bus).await;
        (results.len() >= orders.len()).then_some(results)
    })
    .await;
    assert_eq!(results.len(), orders.len());
    assert!(results.iter().all(|it| it.event.outcome == Outcome::Succeeded));
    assert_eq!(newest::<events::GatewayRoute>(&session.bus).await.len(), 3);
    the_catalogue_is_what_the_api_shows(&session).await;
    assert!(!platform.stoa(&["recover", "--yes"]).status.success(), "there is nothing to recover from");

    // Life goes on in the new epoch.
    session.checkout().publish(&deployed("island", "ferry", "night-ferry"), "A later ferry");
    session.served("island", "ferry", "night-ferry").await;
    platform.stop().await;
}
