use actix_web::http::Method;
use domain::id::{CommitId, Revision};
use events::NudgeReason;
use insta::assert_json_snapshot;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::deployments::{group, ordered};
use crate::{
    store::{Step, StepKind, WantedSync},
    testing::{Answer, Plane},
};

const DEPLOYMENTS: &str = "/v1/tenants/acme/deployments";
const SYNC: &str = "/v1/tenants/acme/deployments/sync";

/// A plane whose tenant has the API `pets`, declared to run in `dev`; with the commit that says so.
async fn plane() -> (Plane, CommitId) {
    let plane = Plane::with_acme(None).await;
    let commit = plane.declare("pets").await.header("stoa-commit").unwrap().parse().unwrap();
    (plane, commit)
}

async fn ask(plane: &Plane, path: &str, body: &Value) -> Answer {
    plane.member("devops", Method::POST, path).json(body).send().await
}

/// What the next step of the relay would take.
async fn waiting(plane: &Plane) -> Vec<WantedSync> {
    let store = &plane.state.store;
    let to = "ab".repeat(20).parse().unwrap();
    let step = Step { revision: Revision(1), from: None, to, kind: StepKind::Synced };
    store.begin_step(&step, "test", Timestamp::UNIX_EPOCH).await.unwrap();
    store.taken_syncs(step.revision).await.unwrap()
}

#[actix_web::test]
async fn a_sync_is_promised_without_a_commit_and_the_relay_is_told() {
    let (plane, _) = plane().await;
    let commits = plane.messages().len();
    let body = json!({ "api": "pets", "environment": "dev", "gateways": ["builtin"] });
    let answer = ask(&plane, SYNC, &body).await;
    assert_json_snapshot!(answer.whole(), @r#"
    {
      "status": 202,
      "headers": {
        "location": "/v1/tenants/acme/deployments/263b4058-4073-5608-8425-43394509880d",
        "stoa-changed": "false",
        "stoa-commit": "c32047f429d5c8fc5917f5e8a2f04b602fa07a12"
      },
      "body": {
        "id": "263b4058-4073-5608-8425-43394509880d",
        "tenant_id": "acme",
        "api_id": "pets",
        "environment": "dev",
        "status": "pending",
        "commit": "c32047f429d5c8fc5917f5e8a2f04b602fa07a12",
        "changed": false,
        "synced": true
      }
    }
    "#);
    assert_eq!(plane.messages().len(), commits);
    let asked = |nudge: &events::GitopsNudge| (nudge.reason, nudge.commit.is_none());
    let said = plane.announced.once(|said| said.nudges.iter().any(|it| it.commit.is_none())).await;
    assert!(said.nudges.iter().any(|nudge| asked(nudge) == (NudgeReason::Request, true)));
    let [sync] = &waiting(&plane).await[..] else { panic!("one sync") };
    assert_eq!((sync.actor.as_str(), sync.gateways.len(), sync.at), ("ada", 1, plane.state.clock.now()));
}

#[actix_web::test]
async fn a_repeat_of_a_sync_is_promised_once() {
    let (plane, _) = plane().await;
    let body = json!({ "api_id": "pets", "environment": "dev" });
    let send = async || {
        let call = plane.member("devops", Method::POST, SYNC).header("idempotency-key", "k1");
        call.json(&body).send().await
    };
    let (first, repeat) = (send().await, send().await);
    assert_eq!(repeat.header("idempotency-replayed"), Some("true"));
    assert_eq!((first.status.as_u16(), &first.text), (202, &repeat.text));
    assert_eq!(waiting(&plane).await.len(), 1);
}

#[actix_web::test]
async fn what_is_not_declared_there_cannot_be_synced() {
    let (plane, _) = plane().await;
    ask(&plane, DEPLOYMENTS, &json!({ "api": "pets", "environment": "staging" })).await;
    plane.relay();
    let gone = json!({ "api": "pets", "environment": "staging", "state": "absent" });
    ask(&plane, DEPLOYMENTS, &gone).await;
    plane.relay();
    let refused = async |body: Value| {
        let answer = ask(&plane, SYNC, &body).await;
        let body = answer.body();
        json!([answer.status.as_u16(), body["type"], body["reason"], body["detail"]])
    };
    let answers = [
        refused(json!({ "api": "cats", "environment": "dev" })).await,
        refused(json!({ "api": "pets", "environment": "prod" })).await,
        refused(json!({ "api": "pets", "environment": "staging" })).await,
        refused(json!({ "api": "pets", "environment": "dev", "gateways": ["edge"] })).await,
    ];
    assert_json_snapshot!(answers, @r#"
    [
      [
        404,
        "/errors/api-not-found",
        "api-not-found",
        "tenant `acme` has no API `cats`"
      ],
      [
        404,
        "/errors/deployment-not-found",
        "not-deployed",
        "API `pets` has no deployment in `prod`"
      ],
      [
        409,
        "/errors/conflict",
        "deployment-absent",
        "API `pets` is declared to be absent from `staging`"
      ],
      [
        404,
        "/errors/gateway-not-found",
        "gateway-not-found",
        "API `pets` is not deployed to gateway `edge` of `dev`"
      ]
    ]
    "#);
    let viewer = plane.member("viewer", Method::POST, SYNC);
    assert_eq!(viewer.json(&json!({ "api": "pets", "environment": "dev" })).send().await.status, 403);
    assert_eq!(waiting(&plane).await, []);
}

#[actix_web::test]
async fn the_same_again_after_a_failure_is_a_sync_of_what_failed() {
    let (plane, commit) = plane().await;
    let body = json!({ "api": "pets", "environment": "dev" });
    ordered(&plane, &group(1), 1, &commit, "succeeded").await;
    let nothing = ask(&plane, DEPLOYMENTS, &body).await;
    assert_eq!((nothing.status.as_u16(), &nothing.body()["id"]), (200, &json!(group(1))));
    for (number, status) in [(2, "failed"), (3, "expired"), (4, "cancelled")] {
        ordered(&plane, &group(number), i64::from(number), &commit, status).await;
        let again = ask(&plane, DEPLOYMENTS, &body).await;
        assert_eq!(again.status, 202, "after `{status}`: {}", again.text);
    }
    let again = ask(&plane, DEPLOYMENTS, &body).await;
    assert_json_snapshot!(again.whole(), @r#"
    {
      "status": 202,
      "headers": {
        "etag": "\"1816620c9a904ac53c051f42f44331a8c69407711db5349a7145e1e1a4a40dc3\"",
        "location": "/v1/tenants/acme/deployments/cb9bf064-f607-5259-bd23-3a6346612f29",
        "stoa-changed": "false",
        "stoa-commit": "c32047f429d5c8fc5917f5e8a2f04b602fa07a12"
      },
      "body": {
        "id": "cb9bf064-f607-5259-bd23-3a6346612f29",
        "tenant_id": "acme",
        "api_id": "pets",
        "environment": "dev",
        "status": "pending",
        "commit": "c32047f429d5c8fc5917f5e8a2f04b602fa07a12",
        "changed": false,
        "synced": true
      }
    }
    "#);
    ordered(&plane, &group(5), 5, &commit, "succeeded").await;
    assert_eq!(ask(&plane, DEPLOYMENTS, &body).await.status, 200);
    let wanted = waiting(&plane).await;
    let gateways: Vec<_> = wanted.iter().flat_map(|sync| &sync.gateways).map(ToString::to_string).collect();
    assert_eq!(gateways, ["builtin"], "of one deployment a step takes one");
}
