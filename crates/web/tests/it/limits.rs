use std::time::Duration;

use insta::assert_json_snapshot;
use serde_json::json;
use web::{BodyLimit, Settings};

use crate::app::{Answer, App};

const JSON: &str = "application/json";

#[tokio::test]
async fn a_body_above_the_limit_is_too_large() {
    let app = App::start_with(|settings| Settings { body_limit: BodyLimit(100), ..settings });
    let answer = app.post("/echo", JSON, format!("{{\"name\":\"{}\"}}", "x".repeat(100))).await;
    assert_eq!(answer.status, 413);
    assert_json_snapshot!(answer.json(), @r#"
    {
      "limit": 100,
      "type": "/errors/body-too-large",
      "title": "Body is too large",
      "status": 413,
      "detail": "the body has more than 100 bytes"
    }
    "#);
    let chunks = futures_util::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>("0123456789")));
    assert_eq!(app.post("/echo", JSON, reqwest::Body::wrap_stream(chunks)).await.status, 413);
}

#[tokio::test]
async fn a_resource_may_have_a_limit_of_its_own() {
    let app = App::start();
    let answer = app.post("/large", "application/yaml", vec![b'x'; 3 << 20]).await;
    assert_eq!((answer.status, answer.json()), (200, json!(3 << 20)));
    assert_eq!(app.post("/large", "application/yaml", vec![b'x'; (4 << 20) + 1]).await.status, 413);
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_named_with_its_place() {
    let app = App::start();
    let answer = app.post("/echo", JSON, r#"{"name":"rex","tags":[{"id":1},{"id":"two"}]}"#).await;
    assert_eq!(answer.status, 422);
    assert_json_snapshot!(answer.json(), @r#"
    {
      "field": "tags[1].id",
      "type": "/errors/invalid-body",
      "title": "Body is not valid",
      "status": 422,
      "detail": "invalid type: string \"two\", expected u32 at line 1 column 42"
    }
    "#);
    for (body, detail) in [
        (r#"{"name":"rex","nmae":1}"#, "unknown field `nmae`"),
        ("{", "EOF while parsing"),
        (r#"{"name":"rex"} extra"#, "trailing characters"),
        ("", "EOF while parsing"),
    ] {
        let answer = app.post("/echo", JSON, body).await;
        let told = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(answer.status == 422 && told.contains(detail), "{body}: {told}");
    }
    assert_eq!(app.post("/echo", "text/plain", "{}").await.status, 415);
    assert_eq!(app.post("/echo", "application/json; charset=utf-8", r#"{"name":"rex"}"#).await.status, 200);
}

#[tokio::test]
async fn a_wrong_query_string_is_a_bad_request() {
    let app = App::start();
    assert_eq!(app.get("/query?limit=5", "").await.text, "5");
    let answer = app.get("/query?limit=many", "").await;
    assert_eq!(answer.status, 400);
    assert_json_snapshot!(answer.json(), @r#"
    {
      "parameter": "limit",
      "type": "/errors/bad-request",
      "title": "Request is malformed",
      "status": 400,
      "detail": "the parameter `limit` is not valid: invalid digit found in string"
    }
    "#);
    let answer = app.get("/query", "").await;
    assert_eq!(answer.json()["detail"], "the query string is not valid: missing field `limit`");
}

#[tokio::test]
async fn a_panic_is_an_error_of_ours_and_the_server_goes_on() {
    let app = App::start();
    let answer = app.get("/panics", "").await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.header("x-request-id"), "019ca945-0a00-7000-8000-000000070000");
    assert_json_snapshot!(answer.json(), @r#"
    {
      "type": "/errors/internal",
      "title": "Error on our side",
      "status": 500,
      "detail": "the request could not be answered because of an error on our side"
    }
    "#);
    assert_eq!(app.get("/health/live", "").await.status, 200);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_cut() {
    let app = App::start_with(|settings| Settings { timeout: Duration::from_millis(20), ..settings });
    let answer = app.get("/hangs", "").await;
    assert_eq!((answer.status, answer.json()["type"].clone()), (504, json!("/errors/timeout")));
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems_too() {
    let app = App::start();
    let answer = app.get("/nowhere", "").await;
    assert_eq!((answer.status, answer.json()["type"].clone()), (404, json!("/errors/not-found")));
    let answer = app.get("/v1/gateways/No..Name", "").await;
    assert_eq!((answer.status, answer.json()["type"].clone()), (404, json!("/errors/not-found")));
    let answer = app.post("/query", JSON, "{}").await;
    assert_eq!((answer.status, answer.json()["type"].clone()), (405, json!("/errors/method-not-allowed")));
}

#[tokio::test]
async fn a_harmless_request_id_is_kept_and_another_replaced() {
    let app = App::start();
    for (given, kept) in [("trace-1_a.b", true), ("a b", false), ("x;y", false)] {
        let request = app.request("/health/live", "").header("x-request-id", given);
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.header("x-request-id") == given, kept, "{given}");
        assert!(!answer.header("x-request-id").is_empty());
    }
}
