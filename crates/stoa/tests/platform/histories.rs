//! Histories that mislead.

use std::sync::Arc;

use events::{
    ApiCreated, ApiUpdated, CatalogTenant, DeployOrder, DeployResult, Envelope, TenantChange, TenantEvent,
};
use reqwest::Method;
use serde_json::json;

use crate::{
    backend::BACKEND,
    documents::{Files, api, deployed, openapi, tenant},
    harness::apart,
    session::{Session, answer},
    topics::{newest, those},
    waiting::eventually,
};

/// What was told of a tenant, in order.
async fn told(session: &Session, name: &str) -> Vec<Arc<Envelope<TenantEvent>>> {
    those::<TenantEvent>(&session.bus, |it| it.tenant.as_str() == name).await
}

async fn changes(session: &Session, name: &str) -> Vec<TenantChange> {
    told(session, name).await.iter().map(|it| it.event.kind).collect()
}

#[tokio::test]
async fn a_pull_that_merges_before_the_push_tells_each_change_once() {
    let Some(platform) = apart().await else { return };
    let session = platform.session().await;
    let (theirs, mine) = (session.checkout(), session.checkout());
    let other = theirs.publish(&Files::from([tenant("merge-a", "")]), "Theirs");
    session.reached(&other).await;
    mine.commit(&Files::from([tenant("merge-b", "")]), "Mine");
    mine.git(&["pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main"]).unwrap();
    let merge = mine.push();
    session.reached(&merge).await;
    assert_eq!(changes(&session, "merge-a").await, [TenantChange::Created]);
    assert_eq!(changes(&session, "merge-b").await, [TenantChange::Created]);
    assert_eq!(told(&session, "merge-a").await[0].event.change.commit.as_str(), other);
    let catalog = newest::<CatalogTenant>(&session.bus).await;
    assert!(catalog.contains_key("merge-a") && catalog.contains_key("merge-b"));
}

#[tokio::test]
async fn a_force_push_to_a_shorter_history_takes_back_what_was_there() {
    let Some(platform) = apart().await else { return };
    let session = platform.session().await;
    let checkout = session.checkout();
    let kept = checkout.publish(&Files::from([tenant("short-a", "")]), "Kept");
    let mut files = deployed("short-b", "brief", "brief");
    files.extend([tenant("short-b", "")]);
    checkout.publish(&files, "Taken back");
    session.served("short-b", "brief", "brief").await;

    checkout.git(&["reset", "--quiet", "--hard", &kept]).unwrap();
    checkout.git(&["push", "--quiet", "--force", "origin", "HEAD:main"]).unwrap();
    session.gone("short-b", "brief").await;
    eventually("the tenant is gone", async || {
        (session.get("admin", "/v1/tenants/short-b").await.status == 404).then_some(())
    })
    .await;
    assert_eq!(changes(&session, "short-a").await, [TenantChange::Created]);
    assert_eq!(changes(&session, "short-b").await, [TenantChange::Created, TenantChange::Retiring]);
    assert!(!newest::<CatalogTenant>(&session.bus).await.contains_key("short-b"));

    // The same again is news, and no repeat.
    checkout.publish(&files, "There after all");
    session.served("short-b", "brief", "brief").await;
    let expected = [TenantChange::Created, TenantChange::Retiring, TenantChange::Created];
    assert_eq!(changes(&session, "short-b").await, expected);
    let revisions: Vec<_> =
        told(&session, "short-b").await.iter().map(|it| it.event.change.revision).collect();
    assert!(revisions.is_sorted(), "a shorter history does not lower the revision: {revisions:?}");
}

#[tokio::test]
async fn a_b_a_by_the_api_is_three_orders_each_with_its_end() {
    let Some(platform) = apart().await else { return };
    let session = platform.session().await;
    let path = "/v1/tenants/acme/apis";
    let address = |base: &str| format!("{}/{base}", *BACKEND);
    let body = json!({ "name": "wave", "backend_url": address("wave-a"), "openapi": openapi() });
    session.post("alice", path, &body).await.expect(201);
    for base in ["wave-b", "wave-a"] {
        let request = session.api("alice", Method::PUT, &format!("{path}/wave")).await;
        // As fast as it goes: whatever the caller saw is good enough.
        answer(request.header("if-match", "*").json(&json!({ "backend_url": address(base) })))
            .await
            .expect(200);
    }
    let ours = |api: &str| api == "wave";
    let results = eventually("three orders end", async || {
        let results = those::<DeployResult>(&session.bus, |it| ours(it.api.as_str())).await;
        (results.len() >= 3).then_some(results)
    })
    .await;
    let mut orders = those::<DeployOrder>(&session.bus, |it| ours(it.api.as_str())).await;
    orders.sort_by_key(|it| it.event.generation);
    let digests: Vec<_> = orders.iter().map(|it| it.event.digest.clone()).collect();
    assert_eq!((digests.len(), results.len()), (3, 3));
    assert_eq!(digests[0], digests[2]);
    assert_ne!(digests[0], digests[1]);
    session.served("acme", "wave", "wave-a").await;
}

#[tokio::test]
async fn what_is_added_and_removed_between_two_looks_is_told_in_order() {
    let Some(platform) = apart().await else { return };
    let session = platform.session().await;
    let checkout = session.checkout();
    let added = checkout.commit(&Files::from([tenant("blink", "")]), "There");
    let removed = checkout.commit(&Files::from([("tenants/blink".to_owned(), None)]), "Gone");
    assert_eq!(checkout.push(), removed);
    session.reached(&removed).await;
    let told = told(&session, "blink").await;
    let told: Vec<_> =
        told.iter().map(|it| (it.event.kind, it.event.change.commit.as_str().to_owned())).collect();
    assert_eq!(told, [(TenantChange::Created, added), (TenantChange::Retiring, removed)]);
    assert_eq!(session.get("admin", "/v1/tenants/blink").await.status, 404);
}

#[tokio::test]
async fn many_commits_in_one_push_are_told_in_order_and_deployed_once() {
    let Some(platform) = apart().await else { return };
    let session = platform.session().await;
    let checkout = session.checkout();
    let mut files = deployed("marathon", "miles", "mile-0");
    files.extend([tenant("marathon", "")]);
    checkout.publish(&files, "Start");
    session.served("marathon", "miles", "mile-0").await;
    let updates = async || those::<ApiUpdated>(&session.bus, |it| it.tenant.as_str() == "marathon").await;
    let orders = async || those::<DeployOrder>(&session.bus, |it| it.tenant.as_str() == "marathon").await;
    let run = |from: usize, to: usize| -> Vec<String> {
        let step = |number| {
            checkout.write(&api("marathon", "miles", &format!("mile-{number}")));
            checkout.git(&["commit", "--quiet", "--all", "--message", "Run"]).unwrap();
            checkout.head()
        };
        (from..=to).map(step).collect()
    };

    let commits = run(1, 60);
    checkout.push();
    session.served("marathon", "miles", "mile-60").await;
    let told: Vec<String> =
        updates().await.iter().map(|it| it.event.change.commit.as_str().to_owned()).collect();
    assert_eq!(told, commits);
    assert_eq!(orders().await.len(), 2);

    // Beyond two hundred the way is told as one.
    let commits = run(61, 360);
    checkout.push();
    session.served("marathon", "miles", "mile-360").await;
    let told: Vec<String> =
        updates().await.iter().skip(60).map(|it| it.event.change.commit.as_str().to_owned()).collect();
    assert_eq!(told, [commits.last().unwrap().clone()]);
    assert_eq!(orders().await.len(), 3);
    assert_eq!(those::<ApiCreated>(&session.bus, |it| it.tenant.as_str() == "marathon").await.len(), 1);
}
