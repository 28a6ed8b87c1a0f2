use actix_web::http::Method;
use domain::id::{CommitId, Epoch, Generation, Revision};
use insta::{assert_json_snapshot, assert_snapshot};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::{
    store::{NewDeployment, OrderEnd},
    testing::Plane,
};

const DEPLOYMENTS: &str = "/v1/tenants/acme/deployments";

/// An order as the relay writes it, and how it ended.
pub(super) async fn ordered(plane: &Plane, group: &str, revision: i64, commit: &CommitId, status: &str) {
    let order_id = domain::id::derived_id(&["order", group]);
    let at = Timestamp::from_second(1_772_366_400 + revision).unwrap();
    let order = NewDeployment {
        order_id,
        group: group.parse().unwrap(),
        tenant: "acme".to_owned(),
        api: "pets".to_owned(),
        environment: "dev".to_owned(),
        gateway: "builtin".to_owned(),
        kind: "apply".to_owned(),
        generation: Generation { epoch: Epoch(1), revision: Revision(revision) },
        commit: commit.to_string(),
        content_commit: commit.to_string(),
        version: "1.0.0".to_owned(),
        digest: commit.to_string(),
        actor: "ada".to_owned(),
        trace: format!("trace-{revision}"),
        ordered_at: at,
    };
    let store = &plane.state.store;
    let mut tx = store.begin().await.unwrap();
    store.add_deployment(&mut tx, &order).await.unwrap();
    let end = OrderEnd { order_id, status, reason: None, message: None, finished_at: at };
    store.end_deployment(&mut tx, &end).await.unwrap();
    tx.commit().await.unwrap();
}

pub(super) fn group(number: u8) -> String {
    Uuid::from_u128(u128::from(number)).to_string()
}

#[actix_web::test]
async fn a_deployment_is_accepted_as_a_commit_and_has_a_place_to_look_at() {
    let plane = Plane::with_acme(None).await;
    plane.declare("pets").await;
    let body = json!({ "api_id": "pets", "environment": "staging" });
    let answer = plane.member("devops", Method::POST, DEPLOYMENTS).json(&body).send().await;
    assert_json_snapshot!(answer.whole(), @r#"
    {
      "status": 202,
      "headers": {
        "etag": "\"dcb62c74a1635caa39b3b5542df02af30a39ac5900513a7692353fdce8bd8ba1\"",
        "location": "/v1/tenants/acme/deployments/5bd272a4-a408-5f5b-9d90-b2a18e23f96e",
        "stoa-changed": "true",
        "stoa-commit": "045b5f07b83d94239550d66a19c199150ea20370"
      },
      "body": {
        "id": "5bd272a4-a408-5f5b-9d90-b2a18e23f96e",
        "tenant_id": "acme",
        "api_id": "pets",
        "environment": "staging",
        "status": "pending",
        "commit": "045b5f07b83d94239550d66a19c199150ea20370",
        "changed": true,
        "synced": false
      }
    }
    "#);
    assert_snapshot!(plane.file("tenants/acme/apis/pets/deployments/staging.yaml").unwrap(), @r"
    apiVersion: stoa.io/v1
    kind: Deployment
    metadata:
      tenant: acme
      api: pets
      environment: staging
    spec:
      follow: head
      gateways:
      - builtin
      state: deployed
    ");
    let again = plane.member("devops", Method::POST, DEPLOYMENTS).json(&body).send().await;
    assert_json_snapshot!(again.whole(), @r#"
    {
      "status": 200,
      "headers": {
        "etag": "\"dcb62c74a1635caa39b3b5542df02af30a39ac5900513a7692353fdce8bd8ba1\"",
        "stoa-changed": "false",
        "stoa-commit": "045b5f07b83d94239550d66a19c199150ea20370"
      },
      "body": {
        "id": null,
        "tenant_id": "acme",
        "api_id": "pets",
        "environment": "staging",
        "status": "none",
        "commit": "045b5f07b83d94239550d66a19c199150ea20370",
        "changed": false,
        "synced": false
      }
    }
    "#);
    let gone = json!({ "api": "pets", "environment": "staging", "state": "absent" });
    let gone = plane.member("devops", Method::POST, DEPLOYMENTS).json(&gone).send().await;
    assert_eq!(gone.status, 202);
    assert_eq!(plane.messages()[..2], ["Undeploy acme/pets from staging", "Deploy acme/pets to staging"]);
}

#[actix_web::test]
async fn what_cannot_be_deployed_is_refused_with_its_reason() {
    let plane = Plane::with_acme(None).await;
    plane.declare("pets").await;
    let refused = async |body: serde_json::Value| {
        let answer = plane.member("devops", Method::POST, DEPLOYMENTS).json(&body).send().await;
        json!([answer.status.as_u16(), answer.body()["type"], answer.body()["detail"]])
    };
    let nowhere = "0123456789012345678901234567890123456789";
    let answers = [
        refused(json!({ "api": "cats", "environment": "dev" })).await,
        refused(json!({ "api": "pets", "environment": "qa" })).await,
        refused(json!({ "api": "pets", "environment": "prod" })).await,
        refused(json!({ "api": "pets", "environment": "dev", "gateways": ["edge"] })).await,
        refused(json!({ "api": "pets", "environment": "dev", "pin": nowhere })).await,
        refused(json!({ "api": "pets", "environment": "staging", "state": "absent" })).await,
    ];
    assert_json_snapshot!(answers, @r#"
    [
      [
        404,
        "/errors/api-not-found",
        "tenant `acme` has no API `cats`"
      ],
      [
        404,
        "/errors/environment-not-found",
        "there is no environment `qa`"
      ],
      [
        422,
        "/errors/invalid-reference",
        "tenant `acme` may not deploy to `prod`"
      ],
      [
        404,
        "/errors/gateway-not-found",
        "environment `dev` has no gateway `edge`"
      ],
      [
        422,
        "/errors/invalid-reference",
        "commit `0123456789012345678901234567890123456789` cannot be deployed: commit `0123456789012345678901234567890123456789` is not in the history of the branch"
      ],
      [
        404,
        "/errors/deployment-not-found",
        "API `pets` has no deployment in `staging`"
      ]
    ]
    "#);
}

#[actix_web::test]
async fn a_rollback_pins_the_content_that_ran_before() {
    let plane = Plane::with_acme(None).await;
    let first: CommitId = plane.declare("pets").await.header("stoa-commit").unwrap().parse().unwrap();
    let second = plane.push_text("tenants/acme/apis/pets/notes.md", "second");
    plane.relay();
    ordered(&plane, &group(1), 1, &first, "succeeded").await;
    ordered(&plane, &group(2), 2, &second, "succeeded").await;
    let answer =
        plane.member("devops", Method::POST, &format!("{DEPLOYMENTS}/{}/rollback", group(2))).send().await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let document = plane.file("tenants/acme/apis/pets/deployments/dev.yaml").unwrap();
    assert!(document.contains(&format!("pin: {first}")), "{document}");
    // The same once more changes nothing.
    let again =
        plane.member("devops", Method::POST, &format!("{DEPLOYMENTS}/{}/rollback", group(2))).send().await;
    assert_eq!((again.status.as_u16(), again.body()["changed"].clone()), (200, json!(false)));

    let back = plane.member("devops", Method::POST, &format!("{DEPLOYMENTS}/{}/rollback", group(1)));
    let back = back.json(&json!({ "to": group(2) })).send().await;
    assert_eq!(back.status, 202, "{}", back.text);
    let document = plane.file("tenants/acme/apis/pets/deployments/dev.yaml").unwrap();
    assert!(document.contains(&format!("pin: {second}")), "{document}");
}

#[actix_web::test]
async fn a_rollback_without_anything_before_is_a_conflict_and_an_unknown_one_is_not_found() {
    let plane = Plane::with_acme(None).await;
    let commit: CommitId = plane.declare("pets").await.header("stoa-commit").unwrap().parse().unwrap();
    ordered(&plane, &group(1), 1, &commit, "succeeded").await;
    let rollback = async |id: String, body: serde_json::Value| {
        let call = plane.member("devops", Method::POST, &format!("{DEPLOYMENTS}/{id}/rollback"));
        let answer = call.json(&body).send().await;
        json!([answer.status.as_u16(), answer.body()["type"], answer.body()["detail"]])
    };
    let answers = [
        rollback(group(1), json!({})).await,
        rollback(group(7), json!({})).await,
        rollback(group(1), json!({ "to": group(7) })).await,
        rollback("nonsense".to_owned(), json!({})).await,
    ];
    assert_json_snapshot!(answers, @r#"
    [
      [
        409,
        "/errors/conflict",
        "API `pets` has no earlier deployment in `dev` that succeeded"
      ],
      [
        404,
        "/errors/deployment-not-found",
        "tenant `acme` has no such deployment"
      ],
      [
        404,
        "/errors/deployment-not-found",
        "tenant `acme` has no such deployment"
      ],
      [
        404,
        "/errors/deployment-not-found",
        "tenant `acme` has no such deployment"
      ]
    ]
    "#);
}

#[actix_web::test]
async fn deployments_are_listed_by_group_in_pages_and_read_one_by_one() {
    let plane = Plane::with_acme(None).await;
    let commit: CommitId = plane.declare("pets").await.header("stoa-commit").unwrap().parse().unwrap();
    for number in 1..=3 {
        ordered(&plane, &group(number), i64::from(number), &commit, "succeeded").await;
    }
    let page = plane.member("viewer", Method::GET, &format!("{DEPLOYMENTS}?limit=2&api=pets")).send().await;
    let ids = |body: &serde_json::Value| {
        body["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&page.body()), [json!(group(3)), json!(group(2))]);
    let cursor = page.body()["next_cursor"].as_str().unwrap().to_owned();
    let rest = format!("{DEPLOYMENTS}?limit=2&api=pets&cursor={cursor}");
    assert_eq!(ids(&plane.member("viewer", Method::GET, &rest).send().await.body()), [json!(group(1))]);
    let one = plane.member("viewer", Method::GET, &format!("{DEPLOYMENTS}/{}", group(3))).send().await;
    assert_json_snapshot!(one.body(), @r#"
    {
      "id": "00000000-0000-0000-0000-000000000003",
      "tenant_id": "acme",
      "api_id": "pets",
      "environment": "dev",
      "kind": "apply",
      "version": "1.0.0",
      "status": "succeeded",
      "commit": "c32047f429d5c8fc5917f5e8a2f04b602fa07a12",
      "content_commit": "c32047f429d5c8fc5917f5e8a2f04b602fa07a12",
      "deployed_by": "ada",
      "trace_id": "trace-3",
      "started_at": "2026-03-01T12:00:03Z",
      "completed_at": "2026-03-01T12:00:03Z",
      "error_message": null,
      "gateways": [
        {
          "gateway": "builtin",
          "order_id": "a7b2cd7e-a96d-5cf0-9488-d92369bbd242",
          "status": "succeeded",
          "reason": null,
          "message": null,
          "completed_at": "2026-03-01T12:00:03Z"
        }
      ]
    }
    "#);
    let logs = plane.member("viewer", Method::GET, &format!("{DEPLOYMENTS}/{}/logs", group(3))).send().await;
    assert_eq!(logs.body()["logs"], json!([]));
    let status = format!("{DEPLOYMENTS}/environments/dev/status");
    let status = plane.member("viewer", Method::GET, &status).send().await.body();
    assert_eq!((&status["healthy"], &status["apis"][0]["latest"]["id"]), (&json!(true), &json!(group(3))));
    let status = format!("{DEPLOYMENTS}/environments/staging/status");
    assert_eq!(plane.member("viewer", Method::GET, &status).send().await.body()["apis"], json!([]));
}
