//! The same by the API: create, deploy, follow, roll back; and what callers may not do.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    backend::BACKEND,
    documents::openapi,
    harness::shared,
    session::{Session, answer},
    waiting::eventually,
};

fn api(name: &str, base: &str) -> Value {
    json!({ "name": name, "backend_url": format!("{}/{base}", *BACKEND), "openapi": openapi() })
}

/// The newest deployment of an API of `acme`, once it has ended.
async fn ended(session: &Session, api: &str, count: usize) -> Value {
    eventually("the deployment ends", async || {
        let path = format!("/v1/tenants/acme/deployments?api={api}");
        let deployments = session.list("alice", &path).await;
        let newest = deployments.first()?.clone();
        (deployments.len() >= count && newest["completed_at"].is_string()).then_some(newest)
    })
    .await
}

#[tokio::test]
async fn an_api_is_declared_deployed_followed_and_rolled_back() {
    let Some(session) = shared().await else { return };
    let path = "/v1/tenants/acme/apis";
    let first = session.post("alice", path, &api("boats", "boats-a")).await;
    assert_eq!(
        (first.expect(201)["id"].clone(), first.header("location")),
        (json!("boats"), "/v1/tenants/acme/apis/boats")
    );
    // The environment deploys by itself what is declared through the platform.
    session.served("acme", "boats", "boats-a").await;
    assert_eq!(ended(&session, "boats", 1).await["status"], "succeeded");

    // Somebody looks on while it is changed.
    let request = session.api("victor", Method::GET, "/v1/events/stream/acme").await;
    let mut stream = request.send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let read = session.get("alice", &format!("{path}/boats")).await;
    let change = json!({ "backend_url": format!("{}/boats-b", *BACKEND) });
    let put = session.api("alice", Method::PUT, &format!("{path}/boats")).await;
    let put = put.header("if-match", read.header("etag")).header("prefer", "wait=20");
    answer(put.json(&change)).await.expect(200);
    session.served("acme", "boats", "boats-b").await;
    let second = ended(&session, "boats", 2).await;
    // Steps and results come by topics of their own, so the end may be shown before a step.
    let wanted = ["api-updated", "deployment-ordered", "deployment-step", "deployment-finished"];
    let id = second["id"].as_str().unwrap();
    let mut shown = String::new();
    while !(wanted.iter().all(|kind| shown.contains(&format!("event: {kind}\n"))) && shown.contains(id)) {
        let chunk = timeout(Duration::from_mins(1), stream.chunk()).await;
        let chunk = chunk.unwrap_or_else(|_| panic!("the stream shows only {shown}"));
        shown.push_str(&String::from_utf8_lossy(&chunk.unwrap().expect("the stream goes on")));
    }

    let trace = second["trace_id"].as_str().unwrap();
    // The worker's steps and results come by topics of their own.
    let trace = eventually("the whole way is told", async || {
        let trace = session.get("victor", &format!("/v1/traces/{trace}/timeline")).await.expect(200);
        let told =
            |name: &str| trace["timeline"].as_array().unwrap().iter().any(|entry| entry["name"] == name);
        (told("probe boats/dev on builtin") && told("deployed boats/dev on builtin")).then_some(trace)
    })
    .await;
    assert_eq!(
        (&trace["status"], &trace["author"], &trace["trigger"]),
        (&json!("success"), &json!("alice"), &json!("request"))
    );
    let timeline: Vec<&str> =
        trace["timeline"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert!(timeline[0].starts_with("commit: ") && timeline[1].starts_with("relay: step "), "{timeline:?}");
    assert_eq!(timeline[2], "order: deploy boats/dev on builtin");
    let times = trace["timeline"].as_array().unwrap().iter().map(|entry| entry["at"].as_str().unwrap());
    let times: Vec<Timestamp> = times.map(|at| at.parse().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let logs = format!("/v1/tenants/acme/deployments/{}/logs", second["id"].as_str().unwrap());
    assert!(!session.get("victor", &logs).await.expect(200)["logs"].as_array().unwrap().is_empty());

    let back = format!("/v1/tenants/acme/deployments/{}/rollback", second["id"].as_str().unwrap());
    let back = session.post("alice", &back, &json!({})).await;
    back.expect(202);
    session.served("acme", "boats", "boats-a").await;
    let third = ended(&session, "boats", 3).await;
    assert_eq!((&third["status"], &third["id"]), (&json!("succeeded"), &back.json()["id"]));
    let first_content = first.header("stoa-commit");
    assert_eq!(third["content_commit"], first_content);

    let absent = json!({ "api": "boats", "environment": "dev", "state": "absent" });
    session.post("alice", "/v1/tenants/acme/deployments", &absent).await.expect(202);
    session.gone("acme", "boats").await;
}

#[tokio::test]
async fn tenants_do_not_see_each_other() {
    let Some(session) = shared().await else { return };
    session.post("alice", "/v1/tenants/acme/apis", &api("secrets", "secrets")).await.expect(201);
    session.served("acme", "secrets", "secrets").await;
    let own = session.call("alice", "/apis/acme/secrets/hello").await;
    assert_eq!(own.expect(200)["path"], "/secrets/hello");

    let denied = session.get("gina", "/v1/tenants/acme/apis").await;
    assert_eq!(denied.status, 403);
    assert_eq!(denied.problem()["type"], "/errors/forbidden");
    for path in ["/v1/tenants/acme", "/v1/tenants/acme/apis/secrets", "/v1/events/history/acme"] {
        assert_eq!(session.get("gina", path).await.problem()["status"], 403, "{path}");
        // Whether it exists is nobody's business.
        let nowhere = path.replace("acme", "nobody");
        assert_eq!(session.get("gina", &nowhere).await.problem()["status"], 403, "{nowhere}");
    }
    let names: Vec<Value> =
        session.list("gina", "/v1/tenants").await.iter().map(|it| it["id"].clone()).collect();
    assert_eq!(names, ["globex"]);
    assert!(session.list("gina", "/v1/traces").await.iter().all(|trace| trace["tenant_id"] == "globex"));
    let refused = session.call("gina", "/apis/acme/secrets/hello").await;
    assert!([403, 404].contains(&refused.status.as_u16()), "{refused:?}");
    assert_eq!(session.tools("gina", "acme--").await, Vec::<String>::new());
    assert_eq!(
        session.tools("alice", "acme--secrets--").await,
        ["acme--secrets--hello", "acme--secrets--write"]
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_as_a_problem() {
    let Some(session) = shared().await else { return };
    let root = async |body: Value| session.post("admin", "/v1/tenants", &body).await;
    root(json!({ "name": "bakery", "display_name": "Bakery" })).await.expect(201);
    assert_eq!(
        root(json!({ "name": "bakery" })).await.problem(),
        json!({
            "type": "/errors/name-taken", "title": "Name is taken", "status": 409, "reason": "name-taken",
            "detail": "tenant `bakery` already exists"
        })
    );
    assert_eq!(
        session.post("alice", "/v1/tenants", &json!({ "name": "mine" })).await.problem()["status"],
        403
    );
    let url = session.connection.api.join("/v1/tenants").unwrap();
    let anonymous = answer(session.http.get(url)).await;
    assert_eq!(
        (anonymous.status.as_u16(), anonymous.problem()["type"].clone()),
        (401, json!("/errors/unauthenticated"))
    );
    assert!(anonymous.header("www-authenticate").starts_with("Bearer"), "{anonymous:?}");
    assert_eq!(
        session.get("admin", "/v1/tenants/bakery/apis/bread").await.problem(),
        json!({
            "type": "/errors/api-not-found", "title": "API does not exist", "status": 404,
            "detail": "tenant `bakery` has no API `bread`"
        })
    );
    let put = async |condition: Option<&str>| {
        let request = session.api("admin", Method::PUT, "/v1/tenants/bakery").await;
        let request = match condition {
            Some(tag) => request.header("if-match", tag),
            None => request,
        };
        answer(request.json(&json!({ "description": "Bread" }))).await
    };
    assert_eq!(
        put(None).await.problem(),
        json!({
            "type": "/errors/precondition-required", "title": "`If-Match` is needed", "status": 428,
            "detail": "send the `ETag` that you read as `If-Match`"
        })
    );
    assert_eq!(
        put(Some("\"stale\"")).await.problem(),
        json!({
            "type": "/errors/precondition-failed", "title": "Changed in the meantime", "status": 412,
            "reason": "precondition-failed",
            "detail": "it is no longer the version that the condition names"
        })
    );
    let large = format!("{}#{}", openapi(), "x".repeat(17 * 1024 * 1024));
    let mut body = api("bread", "bread");
    body["openapi"] = json!(large);
    let refused = session.post("admin", "/v1/tenants/bakery/apis", &body).await;
    assert_eq!(
        refused.problem(),
        json!({
            "type": "/errors/invalid-document", "title": "Document is not valid", "status": 422,
            "reason": "invalid-document",
            "detail": format!(
                "the OpenAPI document is not valid: the document has {} bytes; at most 16777216 are accepted",
                large.len()
            )
        })
    );
    body["openapi"] = json!(large.repeat(3));
    let refused = session.post("admin", "/v1/tenants/bakery/apis", &body).await;
    assert_eq!(
        (refused.status.as_u16(), refused.problem()["type"].clone()),
        (413, json!("/errors/body-too-large"))
    );
    body["openapi"] = json!("openapi: 3.1.0\npaths: [oops");
    let refused = session.post("admin", "/v1/tenants/bakery/apis", &body).await;
    assert_eq!(
        (refused.status.as_u16(), refused.problem()["type"].clone()),
        (422, json!("/errors/invalid-document"))
    );
    assert!(refused.problem()["line"].is_number(), "{refused:?}");
}

#[tokio::test]
async fn a_repeated_post_has_one_effect() {
    let Some(session) = shared().await else { return };
    let path = "/v1/tenants/globex/apis";
    let create = async |body: &Value| {
        let request = session.api("gina", Method::POST, path).await.header("idempotency-key", "ropes-1");
        answer(request.json(body)).await
    };
    let first = create(&api("ropes", "ropes")).await;
    first.expect(201);
    let again = create(&api("ropes", "ropes")).await;
    assert_eq!((again.expect(201), again.header("idempotency-replayed")), (first.json(), "true"));
    assert_eq!(again.header("stoa-commit"), first.header("stoa-commit"));
    assert_eq!(create(&api("ropes", "other")).await.problem()["type"], "/errors/idempotency-mismatch");
}
