use std::collections::BTreeMap;

use events::Authentication;
use futures_util::stream;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, World};

#[actix_web::test]
async fn a_request_reaches_the_backend_with_its_path_query_and_body_and_without_credentials() {
    let world = World::with_pets();
    let token = world.token("acme");
    let sent = world
        .request(Method::PUT, "/apis/acme/pets/echo/a%20b/c%2Fd?q=%26&x", Some(&token))
        .header("cookie", "session=1")
        .header("x-own", "kept")
        .header("x-hop", "dropped")
        .header("connection", "x-hop")
        .header("x-forwarded-for", "1.2.3.4")
        .header("forwarded", "for=1.2.3.4")
        .header("mcp-session-id", "x")
        .header("accept-encoding", "gzip")
        .body("hello");
    let answer = Answer::of(sent.send().await.unwrap()).await;
    assert_eq!((answer.status, answer.header("stoa-generation")), (200, "1.1"), "{}", answer.text);
    let mut seen = answer.json();
    let headers = seen["headers"].take();
    assert_eq!(
        seen,
        json!({"method": "PUT", "target": "/base/echo/a%20b/c%2Fd?q=%26&x", "headers": null, "length": 5, "body": "hello"})
    );
    let mut headers: BTreeMap<String, String> = serde_json::from_value(headers).unwrap();
    assert!(headers.remove("x-request-id").is_some_and(|id| !id.is_empty()));
    let expected = [
        ("accept", "*/*".to_owned()),
        ("accept-encoding", "gzip".to_owned()),
        ("content-length", "5".to_owned()),
        ("host", world.backend.to_string()),
        ("user-agent", headers["user-agent"].clone()),
        ("x-forwarded-for", "127.0.0.1".to_owned()),
        ("x-forwarded-host", world.address.to_string()),
        ("x-forwarded-prefix", "/apis/acme/pets".to_owned()),
        ("x-forwarded-proto", "http".to_owned()),
        ("x-own", "kept".to_owned()),
    ];
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(headers, expected);
}

#[actix_web::test]
async fn an_answer_comes_back_as_it_is_but_speaks_for_no_other_tenant() {
    let world = World::with_pets();
    let token = world.token("acme");
    let answer = world.get("/apis/acme/pets/moved", Some(&token)).await;
    assert_eq!((answer.status, answer.header("location")), (302, "/apis/acme/pets/pets?x=1"));
    assert_eq!((answer.header("x-own"), answer.header("set-cookie")), ("kept", ""));

    let answer = world.get("/apis/acme/pets/chunks", Some(&token)).await;
    assert_eq!((answer.text.as_str(), answer.header("transfer-encoding")), ("one two three", "chunked"));

    let head = world.request(Method::HEAD, "/apis/acme/pets/echo", Some(&token)).send().await.unwrap();
    let head = Answer::of(head).await;
    assert_eq!((head.status, head.text.as_str(), head.header("stoa-generation")), (200, "", "1.1"));
    assert!(head.header("content-length").parse::<u32>().is_ok_and(|length| length > 100), "{head:?}");
}

#[actix_web::test]
async fn a_large_body_streams_through() {
    let world = World::with_pets();
    let chunks = (0..64).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 64 << 10]));
    let body = reqwest::Body::wrap_stream(stream::iter(chunks));
    let sent = world.request(Method::POST, "/apis/acme/pets/echo", Some(&world.token("acme"))).body(body);
    let answer = Answer::of(sent.send().await.unwrap()).await;
    // The backend of the test takes up to one MiB, so that it refuses is the proof that it was asked.
    assert_eq!((answer.status, answer.header("stoa-generation")), (413, "1.1"), "{}", answer.text);

    let answer = world.get("/apis/acme/pets/big", Some(&world.token("acme"))).await;
    assert_eq!((answer.status, answer.text.len()), (200, 3 << 20));
}

#[actix_web::test]
async fn callers_reach_the_apis_of_their_own_tenant() {
    let world = World::with_pets();
    let table = [
        (None, 401, "/errors/unauthenticated"),
        (Some("not a token".to_owned()), 401, "/errors/unauthenticated"),
        (
            Some(world.issuer.person("control-plane-api", "ada", "acme", &["viewer"])),
            401,
            "/errors/unauthenticated",
        ),
        (Some(world.token("globex")), 403, "/errors/forbidden"),
        (Some(world.issuer.token(&json!({"aud": "mcp-gateway"}))), 403, "/errors/forbidden"),
    ];
    for (token, status, problem) in table {
        let answer = world.get("/apis/acme/pets/pets", token.as_deref()).await;
        assert_eq!((answer.status, answer.json()["type"].as_str()), (status, Some(problem)));
        assert_eq!(answer.header("stoa-generation"), "1.1");
        assert_eq!(answer.header("www-authenticate").is_empty(), status != 401);
    }
    for token in [world.token("acme"), world.administrator()] {
        assert_eq!(world.get("/apis/acme/pets/pets", Some(&token)).await.status, 200);
    }
    let unknown = world.get("/apis/acme/birds/", Some(&world.token("acme"))).await;
    assert_eq!((unknown.status, unknown.json()["type"].as_str()), (404, Some("/errors/api-not-found")));
    assert_eq!(unknown.header("stoa-generation"), "");
}

#[actix_web::test]
async fn an_api_that_anybody_may_call_asks_for_no_token() {
    let world = World::new();
    let mut route = world.route("acme", "pets", 1);
    route.authentication = Authentication::None;
    world.deploy(&route);
    for token in [None, Some("not a token".to_owned()), Some(world.token("globex"))] {
        assert_eq!(world.get("/apis/acme/pets/pets", token.as_deref()).await.status, 200);
    }
}

#[actix_web::test]
async fn missing_scopes_are_named_all_at_once() {
    let world = World::new();
    let mut route = world.route("acme", "pets", 1);
    route.scopes = vec!["pets:read".to_owned(), "pets:write".to_owned()];
    world.deploy(&route);
    let answer = world.get("/apis/acme/pets/pets", Some(&world.token("acme"))).await;
    assert_eq!(answer.status, 403);
    let challenge = "Bearer realm=\"stoa\", error=\"insufficient_scope\", scope=\"pets:read pets:write\"";
    assert_eq!(answer.header("www-authenticate"), challenge);
}

#[actix_web::test]
async fn a_backend_that_is_slow_or_down_is_said_so() {
    let world = World::with_pets();
    let token = world.token("acme");
    let mut slow = world.route("acme", "slow-pets", 1);
    slow.upstream.timeout_ms = 50;
    let mut down = world.route("acme", "lost-pets", 1);
    down.upstream.url = "http://127.0.0.1:1/".to_owned();
    for route in [&slow, &down] {
        world.deploy(route);
    }
    let answer = world.get("/apis/acme/slow-pets/slow", Some(&token)).await;
    assert_eq!((answer.status, answer.json()["type"].as_str()), (504, Some("/errors/timeout")));
    let answer = world.get("/apis/acme/lost-pets/", Some(&token)).await;
    assert_eq!((answer.status, answer.header("stoa-generation")), (502, "1.1"));
    let body: Value = answer.json();
    assert_eq!(body["type"], "/errors/upstream-failed");
    assert!(!answer.text.contains("127.0.0.1:1"), "an address inside is nobody's business: {}", answer.text);
}

#[actix_web::test]
async fn a_path_that_leads_elsewhere_is_refused() {
    let world = World::with_pets();
    let token = world.token("acme");
    for path in ["/%2e%2e/%2e%2e/secret", "/x%2f..%2f..%2fsecret", "/x%5c..%5c..", "/%252e%252e/x"] {
        let answer = world.get(&format!("/apis/acme/pets{path}"), Some(&token)).await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.text);
        assert!(!answer.text.contains("secret"), "{}", answer.text);
    }
}
