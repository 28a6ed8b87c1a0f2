//! What the gateway adds to a call, and how many calls it takes: the same backend asked directly, through the proxy,
//! and as a tool in both eras, in turns. Load generator, gateway and backend share the machine and the process; the
//! gateway's telemetry runs as in a service, with logs that go nowhere, and the other two do as little as they can.
//!
//! Prints a line `BENCH {json}` for each figure. A text after `--bench` chooses the targets that have it in their
//! names; without `--bench` it only shows that everything answers.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a bench fails by panicking")]

mod backend;
mod client;
mod figures;
#[path = "../../tests/it/world.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod world;

use std::{
    env,
    fs::{self, File},
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use mcp_gateway::{Catalogue, McpSettings};
use runtime::telemetry;
use serde_json::{Value, json};

use self::{
    client::Connection,
    figures::{Figures, Round},
    world::{MODERN, World, modern},
};

/// Calls at once where throughput is measured.
const AT_ONCE: usize = 32;

/// How much is measured.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    /// Calls of a round, one after another.
    calls: usize,
    /// Calls of a round on each of the connections that run at once.
    calls_at_once: usize,
}

const MEASURED: Effort = Effort { rounds: 9, calls: 2_000, calls_at_once: 400 };
const TRIED: Effort = Effort { rounds: 1, calls: 1, calls_at_once: 1 };

/// A request that is made again and again.
struct Target {
    name: &'static str,
    address: SocketAddr,
    request: Vec<u8>,
}

fn main() {
    let (options, chosen): (Vec<_>, Vec<_>) = env::args().skip(1).partition(|text| text.starts_with("--"));
    let measured = options.iter().any(|option| option == "--bench");
    let chosen = |target: &Target| chosen.iter().all(|text| target.name.contains(text));
    let effort = if measured { MEASURED } else { TRIED };
    let nowhere = File::create("/dev/null").unwrap();
    let _telemetry = telemetry::init_with("bench", &telemetry::Settings::default(), nowhere).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let figures = runtime.block_on(async {
        let mut figures = Figures::default();
        let world = world(McpSettings::default(), &["pets".to_owned()]);
        let calls = calls(&world);
        for _ in 0..effort.rounds {
            for target in calls.iter().filter(|target| chosen(target)) {
                figures.add(target.name, round(target, effort).await);
            }
        }
        // Eight tools of each, and the three that are built in, on one page.
        let apis: Vec<_> = (0..125).map(|index| format!("pets-{index}")).collect();
        let world = self::world(McpSettings { page_size: 1_003, ..McpSettings::default() }, &apis);
        let lists = lists(&world);
        let effort = Effort { calls: effort.calls.div_ceil(20), ..effort };
        let effort = Effort { calls_at_once: effort.calls_at_once.div_ceil(8), ..effort };
        for _ in 0..effort.rounds.div_ceil(2) {
            for target in lists.iter().filter(|target| chosen(target)) {
                figures.add(target.name, round(target, effort).await);
            }
        }
        figures
    });
    if measured {
        figures.print("direct", &["proxy", "tool call (legacy)", "tool call (modern)"]);
    }
}

async fn round(target: &Target, effort: Effort) -> Round {
    let mut connection = Connection::open(target.address).await;
    let bytes = connection.call(&target.request).await;
    let mut latencies = Vec::with_capacity(effort.calls);
    for _ in 0..effort.calls {
        let started = Instant::now();
        connection.call(&target.request).await;
        latencies.push(started.elapsed());
    }
    let mut connections = join_all((0..AT_ONCE).map(|_| Connection::open(target.address))).await;
    join_all(connections.iter_mut().map(|connection| connection.call(&target.request))).await;
    let (started, spent) = (Instant::now(), spent());
    join_all(connections.iter_mut().map(|connection| async move {
        for _ in 0..effort.calls_at_once {
            connection.call(&target.request).await;
        }
    }))
    .await;
    let at_once = AT_ONCE * effort.calls_at_once;
    Round { bytes, latencies, at_once, took: started.elapsed(), spent: self::spent().saturating_sub(spent) }
}

/// The processor time of all threads so far.
fn spent() -> Duration {
    let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
    let nanos = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

fn calls(world: &World) -> Vec<Target> {
    let token = world.token("acme");
    let params = json!({"name": "acme--pets--read", "arguments": {"id": "1"}});
    let legacy = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let modern = modern("tools/call", params);
    let headers =
        format!("mcp-protocol-version: {MODERN}\r\nmcp-method: tools/call\r\nmcp-name: acme--pets--read\r\n");
    vec![
        Target { name: "direct", address: world.backend, request: get("/base/pets/1", world.backend, "") },
        Target {
            name: "proxy",
            address: world.address,
            request: get("/apis/acme/pets/pets/1", world.address, &token),
        },
        Target {
            name: "tool call (legacy)",
            address: world.address,
            request: post(world.address, &token, "mcp-protocol-version: 2025-11-25\r\n", &legacy),
        },
        Target {
            name: "tool call (modern)",
            address: world.address,
            request: post(world.address, &token, &headers, &modern),
        },
    ]
}

/// A gateway with a worker for each processor, as it is in production.
fn world(settings: McpSettings, apis: &[String]) -> World {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut world = World::sized(workers, settings, Catalogue::default());
    world.backend = backend::start(&world.lifecycle);
    for api in apis {
        world.deploy(&world.route("acme", api, 1));
    }
    world
}

fn lists(world: &World) -> Vec<Target> {
    let token = world.token("acme");
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let plain = post(world.address, &token, "", &message);
    let gzip = post(world.address, &token, "accept-encoding: gzip, deflate, br\r\n", &message);
    vec![
        Target { name: "list of 1,000 tools (plain)", address: world.address, request: plain },
        Target { name: "list of 1,000 tools (gzip)", address: world.address, request: gzip },
    ]
}

fn get(path: &str, host: SocketAddr, token: &str) -> Vec<u8> {
    let authorization =
        if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{authorization}\r\n").into_bytes()
}

fn post(host: SocketAddr, token: &str, headers: &str, message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!(
        "POST /mcp HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
