use std::time::Duration;

use actix_web::http::Method;
use domain::id::derived_id;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::{
    commands::{Actor, Origin},
    store::Scope,
    testing::{Answer, Plane},
};

const DEPLOYMENTS: &str = "/v1/tenants/acme/deployments";

async fn deploy(plane: &Plane, body: &Value) -> Answer {
    plane.member("devops", Method::POST, DEPLOYMENTS).header("idempotency-key", "k1").json(body).send().await
}

#[actix_web::test]
async fn a_repeat_gets_the_answer_of_the_first_and_no_second_commit() {
    let plane = Plane::with_acme(None).await;
    plane.declare("pets").await;
    let body = json!({ "api": "pets", "environment": "staging" });
    let first = deploy(&plane, &body).await;
    let repeat = deploy(&plane, &body).await;
    assert_eq!(repeat.header("idempotency-replayed"), Some("true"));
    assert_eq!((repeat.status, repeat.text.clone()), (first.status, first.text.clone()));
    assert_eq!(repeat.header("location"), first.header("location"));
    let other = deploy(&plane, &json!({ "api": "pets", "environment": "dev" })).await;
    assert_json_snapshot!(other.body(), @r#"
    {
      "type": "/errors/idempotency-mismatch",
      "title": "Idempotency key was used for another request",
      "status": 422,
      "detail": "the key was used with another body"
    }
    "#);
}

#[actix_web::test]
async fn a_refusal_is_kept_too() {
    let plane = Plane::with_acme(None).await;
    let body = json!({ "api": "pets", "environment": "staging" });
    assert_eq!(deploy(&plane, &body).await.status, 404);
    plane.declare("pets").await;
    assert_eq!(deploy(&plane, &body).await.status, 404, "the key stands for the first answer");
}

#[actix_web::test]
async fn a_request_that_is_still_worked_on_keeps_its_repeat_away_until_its_lease_is_over() {
    let plane = Plane::with_acme(None).await;
    plane.declare("pets").await;
    let body = json!({ "api": "pets", "environment": "staging" });
    // The first attempt took the key, made its commit, and then the process was killed.
    let scope =
        Scope { principal: "ada-id".to_owned(), route: format!("POST {DEPLOYMENTS}"), key: "k1".to_owned() };
    let since = plane.state.clock.now();
    let known =
        json!({ "api": "pets", "environment": "staging", "gateways": [], "pin": null, "state": "deployed" });
    let digest = domain::id::Digest::of(known.to_string().as_bytes());
    plane.state.store.begin_idempotent(&scope, digest.as_str(), since).await.unwrap();
    let id = derived_id(&["rest", &scope.principal, &scope.route, &scope.key, &since.to_string()]);
    let origin = Origin {
        actor: Actor { name: "ada".to_owned(), email: "ada@acme.example".to_owned() },
        request: format!("rest/{id}"),
        resumed: false,
    };
    let wanted = crate::commands::Deploy {
        tenant: "acme".parse().unwrap(),
        api: "pets".parse().unwrap(),
        environment: "staging".parse().unwrap(),
        gateways: crate::commands::Gateways::All,
        content: domain::entity::Content::FollowHead,
    };
    let done = plane.state.commands.deploy(&origin, wanted).await.unwrap();
    let commits = plane.messages().len();

    let early = deploy(&plane, &body).await;
    assert_json_snapshot!(early.whole(), @r#"
    {
      "status": 409,
      "headers": {
        "retry-after": "1",
        "stoa-commit": "c32047f429d5c8fc5917f5e8a2f04b602fa07a12"
      },
      "body": {
        "type": "/errors/idempotency-in-progress",
        "title": "Request is still being answered",
        "status": 409,
        "detail": "the first request with this key is still being answered"
      }
    }
    "#);
    plane.clock.advance(Duration::from_secs(31));
    let resumed = deploy(&plane, &body).await;
    assert_eq!((resumed.status.as_u16(), resumed.header("stoa-commit")), (202, Some(done.commit.as_str())));
    assert_eq!(plane.messages().len(), commits, "the commit was found");
}
