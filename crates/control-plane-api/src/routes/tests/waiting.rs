use actix_web::http::Method;
use insta::assert_json_snapshot;
use serde_json::json;

use crate::testing::Plane;

#[actix_web::test]
async fn a_reader_may_wait_for_a_commit() {
    let plane = Plane::with_acme(None).await;
    let commit = plane.push_text("README.md", "hello");
    let early = plane.member("viewer", Method::GET, "/v1/tenants/acme");
    let early = early.header("stoa-wait-for", commit.as_str()).header("prefer", "wait=0").send().await;
    assert_eq!(early.status, 504);
    assert_eq!(early.body()["type"], "/errors/commit-not-reached");
    let waiting = plane.member("viewer", Method::GET, "/v1/tenants/acme");
    let waiting = waiting.header("stoa-wait-for", commit.as_str()).send();
    let (answer, ()) = tokio::join!(waiting, async { plane.relay() });
    assert_eq!((answer.status.as_u16(), answer.header("stoa-commit")), (200, Some(commit.as_str())));
    // A commit that is reached already is in the history of the one that answers.
    let later = plane.push_text("README.md", "hello again");
    plane.relay();
    let past = plane.member("viewer", Method::GET, "/v1/tenants/acme");
    let past = past.header("stoa-wait-for", commit.as_str()).send().await;
    assert_eq!((past.status.as_u16(), past.header("stoa-commit")), (200, Some(later.as_str())));
}

#[actix_web::test]
async fn what_is_no_commit_is_not_waited_for() {
    let plane = Plane::new().await;
    let answer = plane.root(Method::GET, "/v1/tenants").header("stoa-wait-for", "main").send().await;
    assert_json_snapshot!(answer.body(), @r#"
    {
      "type": "/errors/bad-request",
      "title": "Request is malformed",
      "status": 400,
      "detail": "`Stoa-Wait-For` is not a full commit id"
    }
    "#);
}

#[actix_web::test]
async fn a_writer_may_wait_for_the_relay_and_is_answered_anyway() {
    let plane = Plane::new().await;
    let create = |name: &str, wait: &str| {
        plane.root(Method::POST, "/v1/tenants").header("prefer", wait).json(&json!({ "name": name }))
    };
    let late = create("globex", "wait=0").send().await;
    assert_eq!((late.status.as_u16(), late.header("preference-applied")), (201, None));
    let relay = async {
        plane.announced.once(|said| said.nudges.len() == 2).await;
        plane.relay();
    };
    let (answer, ()) = tokio::join!(create("initech", "wait=20").send(), relay);
    assert_eq!((answer.status.as_u16(), answer.header("preference-applied")), (201, Some("wait")));
}
