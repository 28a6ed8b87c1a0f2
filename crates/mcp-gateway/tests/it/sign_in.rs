use events::Authentication;
use mcp_gateway::{Catalogue, McpSettings};
use reqwest::Method;
use serde_json::json;

use crate::world::{Answer, World};

#[actix_web::test]
async fn clients_learn_where_to_sign_in() {
    let world = World::with_pets();
    for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"] {
        let answer = world.get(path, None).await;
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(
            answer.json(),
            json!({
                "resource": world.url("/mcp"),
                "authorization_servers": [world.issuer.issuer()],
                "bearer_methods_supported": ["header"],
                "resource_name": "STOA",
            })
        );
    }
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let metadata = world.url("/.well-known/oauth-protected-resource/mcp");
    let answer = world.post(None, &[], &ping).await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.header("www-authenticate"),
        format!("Bearer realm=\"stoa\", resource_metadata=\"{metadata}\"")
    );
    let answer = world.post(Some("x"), &[], &ping).await;
    let error = "error=\"invalid_token\", error_description=\"the token is not a signed JSON web token\"";
    let challenge = format!("Bearer realm=\"stoa\", {error}, resource_metadata=\"{metadata}\"");
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, challenge.as_str()));
    assert_eq!(
        world
            .request(Method::GET, "/mcp", None)
            .header("accept", "text/event-stream")
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
}

#[actix_web::test]
async fn a_tool_of_another_tenant_is_unknown_and_missing_scopes_are_challenged() {
    let world = World::with_pets();
    let mut scoped = world.route("acme", "vault-pets", 1);
    scoped.scopes = vec!["pets:read".to_owned()];
    world.deploy(&scoped);
    let call =
        |name: &str| json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name}});

    let foreign = world.post(Some(&world.token("globex")), &[], &call("acme--pets--list")).await;
    assert_eq!(foreign.status, 200);
    assert_eq!(foreign.json()["error"], json!({"code": -32602, "message": "Unknown tool: acme--pets--list"}));

    let answer = world.post(Some(&world.token("acme")), &[], &call("acme--vault-pets--list")).await;
    assert_eq!(answer.status, 403);
    assert!(answer.header("www-authenticate").starts_with(
        "Bearer realm=\"stoa\", error=\"insufficient_scope\", scope=\"pets:read\", resource_metadata=\"http://"
    ));
    let anonymous = world.post(None, &[], &call("acme--pets--list")).await;
    assert_eq!((anonymous.status, world.post(None, &[], &call("no-such-tool")).await.status), (401, 401));
}

#[actix_web::test]
async fn a_tool_that_anybody_may_call_needs_no_token() {
    let world = World::new();
    let mut route = world.route("acme", "pets", 1);
    route.authentication = Authentication::None;
    world.deploy(&route);
    let call =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "acme--pets--list"}});
    let answer = world.post(None, &[], &call).await;
    assert_eq!((answer.status, &answer.json()["result"]["isError"]), (200, &json!(false)));
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    assert_eq!(world.post(None, &[], &list).await.status, 401);
}

#[actix_web::test]
async fn where_it_is_allowed_callers_without_a_token_see_what_anybody_may_call() {
    let settings = McpSettings { anonymous: true, ..McpSettings::default() };
    let world = World::with(settings, Catalogue::default());
    let mut route = world.route("acme", "pets", 1);
    world.deploy(&world.route("acme", "closed-pets", 1));
    route.authentication = Authentication::None;
    world.deploy(&route);
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let answer = world.post(None, &[], &list).await.json();
    let tools = answer["result"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 8);
    assert!(tools.iter().all(|tool| tool["name"].as_str().unwrap().starts_with("acme--pets--")));
}

#[actix_web::test]
async fn foreign_pages_and_foreign_names_are_refused() {
    let settings =
        McpSettings { allowed_origins: vec!["https://chat.example".to_owned()], ..McpSettings::default() };
    let world = World::with(settings, Catalogue::default());
    let token = world.token("acme");
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    for (header, value, status) in [
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("origin", "https://chat.example", 200),
        ("origin", "http://localhost:6274", 200),
        ("origin", "http://localhost.evil.example", 403),
        ("host", "evil.example", 403),
        ("host", "localhost:1", 200),
    ] {
        let answer = world.post(Some(&token), &[(header, value)], &ping).await;
        assert_eq!(answer.status, status, "{header}: {value}");
        let allowed = if status == 200 && header == "origin" { value } else { "" };
        assert_eq!(answer.header("access-control-allow-origin"), allowed);
    }
    let asked =
        world.request(Method::OPTIONS, "/mcp", None).header("origin", "https://chat.example").send().await;
    let answer = Answer::of(asked.unwrap()).await;
    assert_eq!((answer.status, answer.header("access-control-allow-methods")), (204, "GET, POST, OPTIONS"));
}
