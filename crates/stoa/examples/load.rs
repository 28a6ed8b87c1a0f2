//! Asks for the same paths again and again at a steady rate, and prints how long the answers took; what
//! `scripts/bench` measures reads with.
//!
//! `load HOST:PORT REQUESTS_PER_SECOND SECONDS PATH…`, with the token in `STOA_TOKEN`. A request that has to wait for a
//! free connection counts from when it was due, so a server that stalls is seen to stall.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a measurement fails by panicking")]

#[path = "../../mcp-gateway/benches/load/client.rs"]
mod client;

use std::{
    env,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use self::client::Connection;

/// Enough that no request waits for another at the rates of the targets.
const CONNECTIONS: u32 = 16;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = env::args().skip(1);
    let mut next = || arguments.next().expect("HOST:PORT REQUESTS_PER_SECOND SECONDS PATH…");
    let address: SocketAddr = next().parse().expect("HOST:PORT");
    let rate: u32 = next().parse().expect("requests in a second");
    let seconds: u32 = next().parse().expect("seconds");
    let token =
        env::var_os("STOA_TOKEN").and_then(|token| token.into_string().ok()).expect("a token in STOA_TOKEN");
    let request = |path: String| {
        format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n")
            .into_bytes()
    };
    let requests: Arc<Vec<Vec<u8>>> = Arc::new(arguments.map(request).collect());
    assert!(!requests.is_empty(), "which paths?");

    let (due, count) = (Arc::new(AtomicU32::new(0)), rate * seconds);
    let start = Instant::now() + Duration::from_millis(100);
    let mut workers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (requests, due) = (Arc::clone(&requests), Arc::clone(&due));
        workers.spawn(async move {
            let mut connection = Connection::open(address).await;
            let mut latencies = Vec::new();
            loop {
                let number = due.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return latencies;
                }
                let at = start + Duration::from_secs(1) * number / rate;
                sleep_until(at).await;
                connection.call(&requests[number as usize % requests.len()]).await;
                latencies.push(at.elapsed());
            }
        });
    }
    let mut latencies = workers.join_all().await.concat();
    latencies.sort();
    let share = |percent: usize| latencies[(latencies.len() - 1) * percent / 100].as_secs_f64();
    let most = latencies.last().unwrap().as_secs_f64();
    println!("{}", json!({ "n": latencies.len(), "p50": share(50), "p99": share(99), "most": most }));
}
