//! What the gateway adds to a call: the same backend asked directly, through the proxy, and as a tool, in one run.
//!
//! Everything is real: HTTP on loopback, tokens verified, documents compiled; the load generator shares the machine.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::runtime::Runtime;

#[path = "../tests/it/world.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod world;

use world::{MODERN, World, modern};

/// Calls at once where throughput is measured.
const AT_ONCE: u64 = 32;

async fn send(request: RequestBuilder) {
    let response = request.send().await.expect("an answer");
    assert!(response.status().is_success(), "{}", response.status());
    black_box(response.bytes().await.expect("a body"));
}

/// Makes the same request again and again.
type Maker<'w> = Box<dyn Fn() -> RequestBuilder + 'w>;

fn requests(world: &World) -> Vec<(&'static str, Maker<'_>)> {
    let token = world.token("acme");
    let direct = format!("http://{}/base/pets/1", world.backend);
    let params = json!({"name": "acme--pets--read", "arguments": {"id": "1"}});
    let legacy = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
    let modern = modern("tools/call", params).to_string();
    let post = {
        let token = token.clone();
        move |body: String| {
            let request = world.request(Method::POST, "/mcp", Some(&token));
            request.header("content-type", "application/json").body(body)
        }
    };
    let post_modern = post.clone();
    vec![
        ("direct", Box::new(move || world.client.get(&direct))),
        ("proxy", Box::new(move || world.request(Method::GET, "/apis/acme/pets/pets/1", Some(&token)))),
        ("tool-legacy", Box::new(move || post(legacy.clone()))),
        (
            "tool-modern",
            Box::new(move || {
                let request = post_modern(modern.clone()).header("mcp-protocol-version", MODERN);
                request.header("mcp-method", "tools/call").header("mcp-name", "acme--pets--read")
            }),
        ),
    ]
}

fn calls(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let world = World::with_pets();
    let requests = requests(&world);
    let mut one = criterion.benchmark_group("call");
    one.measurement_time(Duration::from_secs(5));
    for (name, request) in &requests {
        one.bench_function(*name, |bench| bench.to_async(&runtime).iter(|| send(request())));
    }
    one.finish();
    let mut many = criterion.benchmark_group("calls-32-at-once");
    many.throughput(Throughput::Elements(AT_ONCE)).measurement_time(Duration::from_secs(5));
    for (name, request) in &requests {
        many.bench_function(*name, |bench| {
            bench.to_async(&runtime).iter(|| join_all((0..AT_ONCE).map(|_| send(request()))));
        });
    }
    many.finish();
}

fn lists(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let settings = mcp_gateway::McpSettings { page_size: 1_000, ..mcp_gateway::McpSettings::default() };
    let world = World::with(settings, mcp_gateway::Catalogue::default());
    for index in 0..125 {
        world.deploy(&world.route("acme", &format!("pets-{index}"), 1));
    }
    let token = world.token("acme");
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    let request = || {
        let request = world.request(Method::POST, "/mcp", Some(&token));
        request.header("content-type", "application/json").body(body.clone())
    };
    let mut group = criterion.benchmark_group("list-of-1000-tools");
    group.bench_function("one", |bench| bench.to_async(&runtime).iter(|| send(request())));
    group.throughput(Throughput::Elements(8));
    group.bench_function("8-at-once", |bench| {
        bench.to_async(&runtime).iter(|| join_all((0..8).map(|_| send(request()))));
    });
    group.finish();
}

criterion_group!(benches, calls, lists);
criterion_main!(benches);
