use actix_web::http::Method;
use insta::assert_json_snapshot;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    store::{NewTrace, TraceEntry},
    testing::Plane,
};

async fn traced(plane: &Plane, id: &str, tenant: &str, revision: i64) {
    let at = Timestamp::from_second(1_772_366_400 + revision).unwrap();
    let store = &plane.state.store;
    let mut tx = store.begin().await.unwrap();
    let trace = NewTrace {
        id: id.to_owned(),
        tenant: tenant.to_owned(),
        cause: "api",
        actor: "ada".to_owned(),
        commit: "c".repeat(40),
        message: "Deploy it".to_owned(),
        revision,
        at,
    };
    store.open_trace(&mut tx, &trace).await.unwrap();
    let entry = TraceEntry {
        ce_id: "e1".to_owned(),
        name: "relayed".to_owned(),
        status: "success".to_owned(),
        detail: None,
        at,
    };
    store.add_trace_entry(&mut tx, id, &entry).await.unwrap();
    store.expect_of_trace(&mut tx, id, 0, 0, at).await.unwrap();
    tx.commit().await.unwrap();
}

#[actix_web::test]
async fn traces_are_seen_by_their_tenant_and_by_the_platform() {
    let plane = Plane::with_acme(None).await;
    traced(&plane, "t1", "acme", 1).await;
    traced(&plane, "t2", "globex", 2).await;
    let own = plane.member("viewer", Method::GET, "/v1/traces").send().await;
    assert_json_snapshot!(own.body(), @r#"
    {
      "items": [
        {
          "id": "t1",
          "tenant_id": "acme",
          "trigger": "api",
          "author": "ada",
          "commit": "cccccccccccccccccccccccccccccccccccccccc",
          "message": "Deploy it",
          "revision": 1,
          "status": "success",
          "created_at": "2026-03-01T12:00:01Z",
          "completed_at": "2026-03-01T12:00:01Z",
          "total_duration_ms": 0
        }
      ],
      "next_cursor": null
    }
    "#);
    let all = plane.root(Method::GET, "/v1/traces?limit=1").send().await.body();
    assert_eq!(all["items"][0]["id"], "t2");
    assert!(all["next_cursor"].is_string());
    let timeline = plane.member("viewer", Method::GET, "/v1/traces/t1/timeline").send().await;
    assert_json_snapshot!(timeline.body()["timeline"], @r#"
    [
      {
        "name": "relayed",
        "status": "success",
        "detail": null,
        "at": "2026-03-01T12:00:01Z"
      }
    ]
    "#);
    // Another tenant's trace is not there, and its list is nobody else's.
    let other = plane.member("viewer", Method::GET, "/v1/traces/t2").send().await;
    assert_eq!(
        (other.status.as_u16(), other.body()["type"].clone()),
        (404, json!("/errors/trace-not-found"))
    );
    assert_eq!(plane.member("viewer", Method::GET, "/v1/traces?tenant=globex").send().await.status, 403);
    assert_eq!(plane.root(Method::GET, "/v1/traces/t2").send().await.status, 200);
}
