use mcp_gateway::{Catalogue, McpSettings};
use serde_json::{Value, json};

use crate::world::World;

fn names(list: &Value) -> Vec<&str> {
    list["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn everybody_sees_the_tools_of_the_own_tenant_in_the_same_order() {
    let world = World::with_pets();
    world.deploy(&world.route("globex", "birds", 1));
    let list = world.legacy(&world.token("acme"), "tools/list", json!({})).await;
    assert_eq!(
        names(&list),
        [
            "acme--pets--big",
            "acme--pets--busy",
            "acme--pets--create",
            "acme--pets--delete",
            "acme--pets--list",
            "acme--pets--photo",
            "acme--pets--read",
            "acme--pets--slow",
            "stoa_get_api_details",
            "stoa_list_apis",
            "stoa_platform_info",
        ]
    );
    let create = &list["tools"][2];
    assert_eq!(
        *create,
        json!({
            "name": "acme--pets--create",
            "title": "POST /pets",
            "description": "POST /pets",
            "inputSchema": {
                "type": "object",
                "properties": {"name": {"type": "string", "minLength": 1}, "friend": {"$ref": "#/$defs/Pet"}},
                "required": ["name"],
                "additionalProperties": false,
                "$defs": {"Pet": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"type": "string", "minLength": 1}, "friend": {"$ref": "#/$defs/Pet"}},
                }},
            },
            "outputSchema": {
                "type": "object",
                "properties": {
                    "id": {"type": ["string", "null"], "readOnly": true},
                    "name": {"type": ["string", "null"]},
                    "friend": {"$ref": "#/$defs/Pet"},
                },
                "$defs": {"Pet": {
                    "type": ["object", "null"],
                    "properties": {
                        "id": {"type": ["string", "null"], "readOnly": true},
                        "name": {"type": ["string", "null"]},
                        "friend": {"$ref": "#/$defs/Pet"},
                    },
                }},
            },
            "annotations": {
                "title": "POST /pets", "readOnlyHint": false, "destructiveHint": false, "idempotentHint": false,
                "openWorldHint": true,
            },
        })
    );
    let foreign = world.legacy(&world.token("globex"), "tools/list", json!({})).await;
    assert!(names(&foreign).iter().all(|name| name.starts_with("globex--") || name.starts_with("stoa_")));
    let all = world.legacy(&world.administrator(), "tools/list", json!({})).await;
    assert_eq!(names(&all).len(), 8 + 8 + 3);
    let nobody = world.issuer.token(&json!({"aud": "mcp-gateway"}));
    assert_eq!(names(&world.legacy(&nobody, "tools/list", json!({})).await).len(), 3);
}

#[actix_web::test]
async fn pages_follow_on_one_another_also_when_something_was_deployed_between() {
    let world = World::with(McpSettings { page_size: 4, ..McpSettings::default() }, Catalogue::default());
    world.deploy(&world.route("acme", "pets", 1));
    let token = world.token("acme");
    let first = world.modern(Some(&token), "tools/list", json!({})).await.json()["result"].take();
    assert_eq!(names(&first).len(), 4);
    assert_eq!((&first["cacheScope"], &first["resultType"]), (&json!("private"), &json!("complete")));
    assert!(first["ttlMs"].as_u64().is_some() && first["_meta"].is_object());

    world.deploy(&world.route("acme", "apes", 1));
    let mut seen: Vec<String> = names(&first).iter().map(|name| (*name).to_owned()).collect();
    let mut cursor = first["nextCursor"].clone();
    while !cursor.is_null() {
        let page =
            world.modern(Some(&token), "tools/list", json!({"cursor": cursor})).await.json()["result"].take();
        seen.extend(names(&page).iter().map(|name| (*name).to_owned()));
        cursor = page["nextCursor"].clone();
    }
    // What sorts before the first page's end is seen with the next listing, and nothing is seen twice.
    assert_eq!(seen.len(), 8 + 3);
    let mut unique = seen.clone();
    unique.dedup();
    assert_eq!(unique, seen);
}

#[actix_web::test]
async fn a_call_reaches_the_backend_and_its_answer_is_text_and_structure() {
    let world = World::with_pets();
    let token = world.token("acme");
    let arguments = json!({"id": "a b", "X-Note": "hi", "fields": ["x", "y"]});
    let call = json!({"name": "acme--pets--read", "arguments": arguments});
    let result = world.legacy(&token, "tools/call", call.clone()).await;
    let pet = json!({
        "id": "a b", "name": "Rex", "path": "/base/pets/a%20b", "query": "fields=x&fields=y", "note": "hi",
        "authorization": null, "accept": "application/json",
    });
    assert_eq!(result["structuredContent"], pet);
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!((text, &result["isError"]), (pet.clone(), &json!(false)));
    assert!(result.get("resultType").is_none());

    let result = world.modern(Some(&token), "tools/call", call).await.json()["result"].take();
    assert_eq!((&result["structuredContent"], &result["resultType"]), (&pet, &json!("complete")));
    assert!(result["_meta"]["io.modelcontextprotocol/serverInfo"].is_object());
}

#[actix_web::test]
async fn structure_that_is_no_object_is_wrapped_for_those_who_take_nothing_else() {
    let world = World::with_pets();
    let token = world.token("acme");
    let call = json!({"name": "acme--pets--list", "arguments": {}});
    let pets = json!([{"id": "1", "name": "Rex"}]);
    let result = world.legacy(&token, "tools/call", call.clone()).await;
    assert_eq!(result["structuredContent"], json!({"result": pets}));
    let result = world.modern(Some(&token), "tools/call", call).await.json()["result"].take();
    assert_eq!(result["structuredContent"], pets);
}

#[actix_web::test]
async fn pictures_are_content_and_errors_are_results() {
    let world = World::with_pets();
    let token = world.token("acme");
    let call = |name: &str, arguments: Value| {
        let params = json!({"name": format!("acme--pets--{name}"), "arguments": arguments});
        let (world, token) = (&world, &token);
        async move { world.legacy(token, "tools/call", params).await }
    };
    assert_eq!(
        call("photo", json!({"id": "1"})).await,
        json!({"content": [{"type": "image", "mimeType": "image/png", "data": "iVA="}], "isError": false})
    );
    let text = |text: &str| json!({"content": [{"type": "text", "text": text}], "isError": true});
    assert_eq!(call("read", json!({"id": "0"})).await, text("HTTP 404: {\"title\":\"no such pet\"}"));
    assert_eq!(
        call("busy", json!({})).await,
        json!({
            "content": [
                {"type": "text", "text": "HTTP 503: later"},
                {"type": "text", "text": "The backend asks to try again after: 7"},
            ],
            "isError": true,
        })
    );
    assert_eq!(
        call("read", json!({"fields": "x", "other": 1})).await,
        text(
            "The arguments don't fit the tool:\n- the arguments: `id` is missing\n- /fields: must be array, not a text\n\
             - /other: is not known here; accepted: id, X-Note, fields"
        )
    );
    assert_eq!(
        call("read", json!({"id": "../x"})).await,
        text("the argument `id` would lead to another path")
    );
    let big = call("big", json!({})).await;
    assert_eq!(big["isError"], true);
    let shown = big["content"][0]["text"].as_str().unwrap();
    assert!(shown.starts_with(
        "the backend's answer has more than 1048576 bytes; narrow the request. It begins:\nxxx"
    ));
    assert!(shown.len() < 5_000);
}

#[actix_web::test]
async fn a_backend_that_is_slow_or_down_is_a_result_too() {
    let world = World::new();
    let token = world.token("acme");
    let mut slow = world.route("acme", "slow-pets", 1);
    slow.upstream.timeout_ms = 50;
    let mut down = world.route("acme", "lost-pets", 1);
    down.upstream.url = "http://127.0.0.1:1/".to_owned();
    world.deploy(&slow);
    world.deploy(&down);
    for (name, text) in [
        ("acme--slow-pets--slow", "the backend did not answer within 50ms"),
        ("acme--lost-pets--list", "the backend could not be reached"),
    ] {
        let result = world.legacy(&token, "tools/call", json!({"name": name})).await;
        assert_eq!(result, json!({"content": [{"type": "text", "text": text}], "isError": true}));
    }
    let metrics = world.metrics.encode();
    for line in [
        "stoa_mcp_gateway_mcp_tool_invocations_total{tool_name=\"acme--slow-pets--slow\",status=\"tool_error\",service=\"mcp-gateway\"} 1",
        "stoa_mcp_gateway_mcp_tools_registered{service=\"mcp-gateway\"} 16",
        "stoa_mcp_gateway_auth_requests_total{status=\"success\",reason=\"none\",service=\"mcp-gateway\"} 2",
        "stoa_mcp_gateway_backend_requests_total{backend=\"acme/slow-pets\",method=\"GET\",status_code=\"0\",service=\"mcp-gateway\"} 1",
    ] {
        let wanted: std::collections::BTreeSet<_> = labels(line);
        assert!(metrics.lines().any(|found| labels(found) == wanted), "{line} is not in\n{metrics}");
    }
    world.undeploy("acme/slow-pets/dev");
    assert!(!world.metrics.encode().contains("acme--slow-pets--slow"), "what is gone is not counted on");
}

/// A sample without the order of its labels.
fn labels(line: &str) -> std::collections::BTreeSet<&str> {
    line.split(['{', '}', ',']).collect()
}
