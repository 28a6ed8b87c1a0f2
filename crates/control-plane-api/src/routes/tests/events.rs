use std::pin::pin;

use actix_web::{
    App,
    body::MessageBody,
    http::Method,
    test::{call_service, init_service},
};
use insta::{assert_json_snapshot, assert_snapshot};
use jiff::Timestamp;

use crate::{routes, testing::Plane};

async fn happened(plane: &Plane, kinds: &[&str]) {
    let store = &plane.state.store;
    let mut tx = store.begin().await.unwrap();
    for kind in kinds {
        store
            .append_stream(&mut tx, "acme", kind, kind, r#"{"api":"pets"}"#, Timestamp::UNIX_EPOCH)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    plane.state.wake.notify("acme");
}

#[actix_web::test]
async fn history_is_told_backwards_in_pages() {
    let plane = Plane::with_acme(None).await;
    happened(&plane, &["one", "two", "three"]).await;
    let path = "/v1/events/history/acme";
    let page = plane.member("viewer", Method::GET, &format!("{path}?limit=2")).send().await.body();
    assert_json_snapshot!(page["items"], @r#"
    [
      {
        "id": 3,
        "event": "three",
        "at": "1970-01-01T00:00:00Z",
        "data": {
          "api": "pets"
        }
      },
      {
        "id": 2,
        "event": "two",
        "at": "1970-01-01T00:00:00Z",
        "data": {
          "api": "pets"
        }
      }
    ]
    "#);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest =
        plane.member("viewer", Method::GET, &format!("{path}?limit=2&cursor={cursor}")).send().await.body();
    assert_eq!((rest["items"][0]["event"].as_str(), rest["next_cursor"].as_str()), (Some("one"), None));
    let some =
        plane.member("viewer", Method::GET, &format!("{path}?event_types=two,four")).send().await.body();
    assert_eq!(some["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_stream_goes_on_where_its_client_was_and_ends_with_the_service() {
    let plane = Plane::with_acme(None).await;
    happened(&plane, &["one", "two"]).await;
    let state = plane.state.clone();
    let app = init_service(App::new().configure(|config| routes::configure(config, &state))).await;
    let call = plane.member("viewer", Method::GET, "/v1/events/stream/acme").header("last-event-id", "1");
    let response = call_service(&app, call.into_request().to_request()).await;
    assert_eq!(response.headers().get("content-type").unwrap(), "text/event-stream");
    let mut body = pin!(response.into_body());
    let mut text = String::new();
    let mut read = async |until: &str| {
        while !text.contains(until) {
            let chunk = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await;
            match chunk {
                Some(chunk) => text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap()),
                None => break,
            }
        }
        text.clone()
    };
    read("two").await;
    happened(&plane, &["three"]).await;
    read("three").await;
    plane.lifecycle.stopper().stop();
    assert_snapshot!(read("never").await, @r#"
    : connected
    retry: 2000

    id: 2
    event: two
    data: {"api":"pets"}

    id: 3
    event: three
    data: {"api":"pets"}
    "#);
}

#[actix_web::test]
async fn a_stream_is_for_its_tenant_and_their_number_is_bounded() {
    let plane = Plane::with_acme(None).await;
    let path = "/v1/events/stream/acme";
    assert_eq!(plane.member("viewer", Method::GET, "/v1/events/stream/globex").send().await.status, 403);
    let wrong = plane.member("viewer", Method::GET, path).header("last-event-id", "x").send().await;
    assert_eq!(wrong.status, 400);
    let _all = plane.state.streams.clone().try_acquire_many_owned(2).unwrap();
    let full = plane.member("viewer", Method::GET, path).send().await;
    assert_json_snapshot!(full.whole()["body"], @r#"
    {
      "type": "/errors/unavailable",
      "title": "Not available at present",
      "status": 503,
      "detail": "too many streams are open"
    }
    "#);
}
