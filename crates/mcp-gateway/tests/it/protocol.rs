use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, MODERN, World, modern};

/// What is sent (in words, headers, body), and what comes back (status, code).
type Row = (&'static str, Vec<(&'static str, &'static str)>, Value, u16, i64);

/// Every way to say something wrong, and what it gets: HTTP status and error code.
#[actix_web::test]
async fn what_is_wrong_gets_the_error_that_its_revision_names() {
    let world = World::with_pets();
    let token = world.token("acme");
    let legacy =
        |method: &str, params: Value| json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let old = ("mcp-protocol-version", "2025-11-25");
    let new = ("mcp-protocol-version", MODERN);
    let list = ("mcp-method", "tools/list");
    let call = ("mcp-method", "tools/call");
    let mut unversioned = modern("tools/list", json!({}));
    unversioned["params"]["_meta"].as_object_mut().unwrap().remove("io.modelcontextprotocol/protocolVersion");
    let mut incapable = modern("tools/list", json!({}));
    incapable["params"]["_meta"]
        .as_object_mut()
        .unwrap()
        .remove("io.modelcontextprotocol/clientCapabilities");
    let mut future = modern("tools/list", json!({}));
    future["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2099-01-01");
    let named = modern("tools/call", json!({"name": "acme--pets--list"}));
    let table: Vec<Row> = vec![
        ("no message", vec![], json!("x"), 400, -32600),
        ("an empty batch", vec![], json!([]), 400, -32600),
        ("a batch in a revision without", vec![old], json!([legacy("ping", json!({}))]), 400, -32600),
        ("no jsonrpc", vec![], json!({"id": 1, "method": "ping"}), 400, -32600),
        ("a null id", vec![], json!({"jsonrpc": "2.0", "id": null, "method": "ping"}), 400, -32600),
        ("a broken id", vec![], json!({"jsonrpc": "2.0", "id": 1.5, "method": "ping"}), 400, -32600),
        (
            "params as a list",
            vec![],
            json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}),
            400,
            -32602,
        ),
        ("an unknown method", vec![old], legacy("resources/list", json!({})), 200, -32601),
        ("a method of the other era", vec![old], legacy("server/discover", json!({})), 200, -32601),
        (
            "an unknown version",
            vec![("mcp-protocol-version", "1999-01-01")],
            legacy("ping", json!({})),
            400,
            -32022,
        ),
        ("an unknown tool", vec![old], legacy("tools/call", json!({"name": "x"})), 200, -32602),
        ("no tool", vec![old], legacy("tools/call", json!({})), 200, -32602),
        (
            "arguments as a list",
            vec![old],
            legacy("tools/call", json!({"name": "x", "arguments": []})),
            200,
            -32602,
        ),
        ("a made-up cursor", vec![old], legacy("tools/list", json!({"cursor": "AAAA"})), 200, -32602),
        ("a handshake without a version", vec![], legacy("initialize", json!({})), 200, -32602),
        ("modern without a version header", vec![list], modern("tools/list", json!({})), 400, -32020),
        ("modern with another version header", vec![old, list], modern("tools/list", json!({})), 400, -32020),
        ("modern without a method header", vec![new], modern("tools/list", json!({})), 400, -32020),
        ("modern with another method header", vec![new, call], modern("tools/list", json!({})), 400, -32020),
        ("modern without a name header", vec![new, call], named.clone(), 400, -32020),
        ("modern with another name header", vec![new, call, ("mcp-name", "x")], named.clone(), 400, -32020),
        (
            "modern with a badly encoded name",
            vec![new, call, ("mcp-name", "=?base64?!?=")],
            named,
            400,
            -32020,
        ),
        ("modern without a version", vec![new, list], unversioned, 400, -32602),
        ("modern without capabilities", vec![new, list], incapable, 400, -32602),
        ("a version of the future", vec![("mcp-protocol-version", "2099-01-01"), list], future, 400, -32022),
        (
            "an unknown modern method",
            vec![new, ("mcp-method", "ping")],
            modern("ping", json!({})),
            404,
            -32601,
        ),
        (
            "a modern handshake",
            vec![new, ("mcp-method", "initialize")],
            modern("initialize", json!({})),
            404,
            -32601,
        ),
    ];
    for (what, headers, body, status, code) in table {
        let answer = world.post(Some(&token), &headers, &body).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
        assert_eq!(answer.json()["error"]["code"], code, "{what}: {}", answer.text);
    }
}

#[actix_web::test]
async fn what_is_no_json_is_refused() {
    let world = World::new();
    let token = world.token("acme");
    let send = |content_type: &'static str, body: Vec<u8>| {
        let request =
            world.request(Method::POST, "/mcp", Some(&token)).header("content-type", content_type).body(body);
        async move { Answer::of(request.send().await.unwrap()).await }
    };
    let answer = send("application/json", b"{\"jsonrpc\"".to_vec()).await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (400, &json!(-32700)));
    assert!(answer.json().get("id").is_none());
    assert_eq!(send("application/json", vec![0xff]).await.status, 400);
    assert_eq!(send("text/plain", b"{}".to_vec()).await.status, 415);
    assert_eq!(send("application/json", vec![b' '; 5 << 20]).await.status, 413);
}

#[actix_web::test]
async fn the_handshake_agrees_on_a_revision_and_needs_no_session() {
    let world = World::new();
    let token = world.token("acme");
    for (wanted, agreed) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        (MODERN, "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ] {
        let params = json!({"protocolVersion": wanted, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let body = json!({"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": params});
        let answer = world.post(Some(&token), &[], &body).await;
        assert_eq!(answer.header("mcp-session-id"), "");
        let answer = answer.json();
        assert_eq!((&answer["id"], &answer["result"]["protocolVersion"]), (&json!("a"), &json!(agreed)));
        assert_eq!(answer["result"]["capabilities"], json!({"tools": {"listChanged": true}}));
    }
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let answer = world.post(Some(&token), &[], &note).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    assert_eq!(world.legacy(&token, "ping", json!({})).await, json!({}));
    let response = json!({"jsonrpc": "2.0", "id": 7, "result": {}});
    assert_eq!(world.post(Some(&token), &[], &response).await.status, 202);
    assert_eq!(world.post(Some(&token), &[("mcp-protocol-version", MODERN)], &response).await.status, 400);
}

#[actix_web::test]
async fn a_batch_of_2025_03_26_is_answered_in_its_order() {
    let world = World::new();
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "nothing"},
    ]);
    let answer =
        world.post(Some(&world.token("acme")), &[("mcp-protocol-version", "2025-03-26")], &batch).await;
    assert_eq!(
        answer.json(),
        json!([
            {"jsonrpc": "2.0", "id": 1, "result": {}},
            {"jsonrpc": "2.0", "id": 2, "error": {"code": -32601, "message": "Method not found: nothing"}},
        ])
    );
}

#[actix_web::test]
async fn discovery_says_which_revisions_are_spoken() {
    let world = World::new();
    let answer = world.modern(Some(&world.token("acme")), "server/discover", json!({})).await;
    let mut result = answer.json()["result"].take();
    assert!(result["instructions"].take().is_string());
    assert_eq!(
        result,
        json!({
            "resultType": "complete",
            "supportedVersions": ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"],
            "capabilities": {"tools": {"listChanged": true}},
            "instructions": null,
            "ttlMs": 300_000,
            "cacheScope": "public",
            "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "stoa-mcp-gateway", "version": "0.1.0"}},
        })
    );
}

#[actix_web::test]
async fn other_methods_of_http_are_not_allowed() {
    let world = World::new();
    let token = world.token("acme");
    for (method, version, allowed) in [
        (Method::DELETE, "2025-11-25", "GET, POST"),
        (Method::GET, MODERN, "POST"),
        (Method::PUT, MODERN, "GET, POST"),
    ] {
        let request = world.request(method, "/mcp", Some(&token)).header("mcp-protocol-version", version);
        let answer = Answer::of(request.header("accept", "text/event-stream").send().await.unwrap()).await;
        assert_eq!((answer.status, answer.header("allow")), (405, allowed));
    }
}
