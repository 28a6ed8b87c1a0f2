//! Requests that bring what is declared to its gateways once more.

use domain::id::{CommitId, Epoch, Generation, Revision};
use events::{DeployOperation, DeployRequest};
use insta::assert_json_snapshot;
use jiff::Timestamp;
use serde_json::json;

use super::{deploy, outcome, plane, send, signed};
use crate::{
    metrics::Request,
    store::{NewDeployment, OrderEnd, Step, StepKind, WantedSync},
    testing::Plane,
};

fn sync(id: &str) -> DeployRequest {
    DeployRequest { operation: DeployOperation::Sync, environment: "dev".to_owned(), ..deploy(id) }
}

/// What the next step of the relay would take.
async fn waiting(plane: &Plane) -> Vec<WantedSync> {
    let store = &plane.state.store;
    let to = "ab".repeat(20).parse().unwrap();
    let step = Step { revision: Revision(9), from: None, to, kind: StepKind::Synced };
    store.begin_step(&step, "test", Timestamp::UNIX_EPOCH).await.unwrap();
    store.taken_syncs(step.revision).await.unwrap()
}

/// An order of the API `pets` in `dev`, which has failed.
async fn failed(plane: &Plane, commit: &CommitId) {
    let order = NewDeployment {
        order_id: domain::id::derived_id(&["order"]),
        group: domain::id::derived_id(&["group"]),
        tenant: "acme".to_owned(),
        api: "pets".to_owned(),
        environment: "dev".to_owned(),
        gateway: "builtin".to_owned(),
        kind: "apply".to_owned(),
        generation: Generation { epoch: Epoch(1), revision: Revision(1) },
        commit: commit.to_string(),
        content_commit: commit.to_string(),
        version: "1.0.0".to_owned(),
        digest: commit.to_string(),
        actor: "ada".to_owned(),
        trace: "trace".to_owned(),
        ordered_at: Timestamp::UNIX_EPOCH,
    };
    let end = OrderEnd {
        order_id: order.order_id,
        status: "failed",
        reason: Some("no-gateway"),
        message: None,
        finished_at: Timestamp::UNIX_EPOCH,
    };
    let mut tx = plane.state.store.begin().await.unwrap();
    plane.state.store.add_deployment(&mut tx, &order).await.unwrap();
    plane.state.store.end_deployment(&mut tx, &end).await.unwrap();
    tx.commit().await.unwrap();
}

#[actix_web::test]
async fn a_sync_is_accepted_without_a_commit_and_a_repeat_adds_nothing() {
    let plane = plane().await;
    let commits = plane.messages().len();
    for _ in 0..2 {
        send(&plane, &signed(&sync("s1")), &sync("s1")).await;
    }
    let said = plane.announced.so_far();
    assert_json_snapshot!(said.outcomes[0].1, @r#"
    {
      "request_id": "s1",
      "topic": "deploy-requests",
      "tenant": "acme",
      "outcome": "accepted",
      "reason": null,
      "message": null,
      "commit": "5ff46ab74fa968a2eebe4ea43e1d16e2a08b28fa",
      "group": "be2032a3-ac04-5824-b3dc-f06c234f4bd1",
      "at": 1772366400000
    }
    "#);
    assert_eq!(said.outcomes[0], said.outcomes[1]);
    assert_eq!(plane.messages().len(), commits);
    let accepted = Request { topic: "deploy-requests", outcome: "accepted" };
    assert_eq!(plane.state.metrics.requests.get_or_create(&accepted).get(), 2);
    let [wanted] = &waiting(&plane).await[..] else { panic!("one sync") };
    assert_eq!((wanted.request.as_str(), wanted.actor.as_str()), ("request/acme/s1", "producer:ci"));
}

#[actix_web::test]
async fn a_sync_of_what_is_not_there_is_refused() {
    let plane = plane().await;
    let elsewhere = DeployRequest { environment: "staging".to_owned(), ..sync("s1") };
    let nameless = DeployRequest { gateways: vec!["../edge".to_owned()], ..sync("s2") };
    let foreign = DeployRequest { gateways: vec!["edge".to_owned()], ..sync("s3") };
    let mut outcomes = Vec::new();
    for request in [elsewhere, nameless, foreign] {
        send(&plane, &signed(&request), &request).await;
        outcomes.push(outcome(&plane)[2].clone());
    }
    assert_eq!(outcomes, ["not-deployed", "invalid-name", "gateway-not-found"]);
    assert_eq!(waiting(&plane).await, []);
}

#[actix_web::test]
async fn the_same_again_after_a_failure_is_a_sync() {
    let plane = plane().await;
    let again = DeployRequest { environment: "dev".to_owned(), ..deploy("r1") };
    send(&plane, &signed(&again), &again).await;
    assert_eq!(plane.announced.so_far().outcomes[0].1.group, None, "there is nothing to do");
    failed(&plane, &plane.state.repository.head().unwrap().unwrap()).await;
    let again = DeployRequest { request_id: "r2".to_owned(), ..again };
    send(&plane, &signed(&again), &again).await;
    let said = plane.announced.so_far();
    assert!(said.outcomes[1].1.group.is_some());
    let wanted = waiting(&plane).await;
    let wanted: Vec<_> = wanted.iter().map(|it| (it.request.as_str(), json!(it.gateways))).collect();
    assert_eq!(wanted, [("request/acme/r2", json!(["builtin"]))]);
}
