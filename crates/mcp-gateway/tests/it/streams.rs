use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::world::{MODERN, World, modern};

/// Reads a stream event by event.
struct Events {
    chunks: futures_util::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    read: String,
}

impl Events {
    fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self { chunks: response.bytes_stream().boxed(), read: String::new() }
    }

    /// The next message; nothing at the end of the stream.
    async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some((event, rest)) = self.read.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: ")).map(str::to_owned);
                self.read = String::from(rest);
                if let Some(data) = data {
                    return Some(serde_json::from_str(&data).unwrap());
                }
            }
            let chunk = timeout(Duration::from_secs(5), self.chunks.next()).await.unwrap()?.unwrap();
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

async fn listen(world: &World, tenant: &str, notifications: Value) -> Events {
    let request = world
        .request(Method::POST, "/mcp", Some(&world.token(tenant)))
        .header("mcp-protocol-version", MODERN)
        .header("mcp-method", "subscriptions/listen")
        .json(&modern("subscriptions/listen", json!({ "notifications": notifications })));
    Events::of(request.send().await.unwrap())
}

#[actix_web::test]
async fn who_listens_hears_of_changes_of_the_own_list_and_of_the_end() {
    let world = World::with_pets();
    let mut acme =
        listen(&world, "acme", json!({"toolsListChanged": true, "promptsListChanged": true})).await;
    let mut deaf = listen(&world, "acme", json!({})).await;
    let meta = json!({"io.modelcontextprotocol/subscriptionId": 1});
    let acknowledged = |notifications: Value| {
        json!({
            "jsonrpc": "2.0",
            "method": "notifications/subscriptions/acknowledged",
            "params": {"_meta": meta, "notifications": notifications},
        })
    };
    assert_eq!(acme.next().await, Some(acknowledged(json!({"toolsListChanged": true}))));
    assert_eq!(deaf.next().await, Some(acknowledged(json!({}))));

    // Another tenant's change and a change that leaves the tools as they were are not told.
    world.deploy(&world.route("globex", "birds", 1));
    world.deploy(&world.route("acme", "pets", 2));
    world.deploy(&world.route("acme", "apes", 1));
    let changed =
        json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {"_meta": meta}});
    assert_eq!(acme.next().await, Some(changed));

    world.lifecycle.stopper().stop();
    let end = json!({"jsonrpc": "2.0", "id": 1, "result": {"resultType": "complete", "_meta": meta}});
    assert_eq!(acme.next().await, Some(end.clone()));
    assert_eq!(acme.next().await, None);
    assert_eq!(deaf.next().await, Some(end));
    assert_eq!(deaf.next().await, None);
}

#[actix_web::test]
async fn older_clients_open_a_stream_with_get() {
    let world = World::with_pets();
    let request = world
        .request(Method::GET, "/mcp", Some(&world.token("acme")))
        .header("accept", "text/event-stream")
        .header("mcp-protocol-version", "2025-06-18");
    let mut events = Events::of(request.send().await.unwrap());
    world.undeploy("acme/pets/dev");
    let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
    assert_eq!(events.next().await, Some(changed));
    world.lifecycle.stopper().stop();
    assert_eq!(events.next().await, None);
}
