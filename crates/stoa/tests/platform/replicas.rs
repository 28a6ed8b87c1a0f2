//! Two of each service, side by side.

use crate::{
    documents::{Files, deployed, tenant},
    faults::{every_order_ended_once, the_catalogue_is_what_the_api_shows},
    harness::{Connection, Platform},
    keeper,
    session::Session,
    waiting::eventually,
};

/// The byte of the shared-memory file that a writer of SQLite locks (wal.c, "WAL-index format", `WAL_WRITE_LOCK`).
const WRITE_LOCK: u64 = 120;

#[tokio::test]
async fn when_one_of_two_sleeps_the_other_works_and_nothing_is_done_twice() {
    let seed = Files::from([tenant("twins", "")]);
    let Some(platform) = Platform::start("replicas", &["--demo", "--separate"], seed).await else { return };
    let mirror = platform.data.join("control-plane-api-twin/mirror.git").display().to_string();
    let plane = platform.twin("control-plane-api", &[("GIT_MIRROR", &mirror)]).await;
    let _worker = platform.twin("deployment-worker", &[]).await;
    let gateway = platform.twin("mcp-gateway", &[("GATEWAY_REPLICA", "twin")]).await;

    let first = platform.session().await;
    let twins =
        Connection { api: plane.address.clone(), gateway: gateway.address.clone(), ..platform.connection() };
    let second = Session::open(&platform.data, twins).await;
    let checkout = first.checkout();
    checkout.publish(&deployed("twins", "both", "both"), "With both awake");
    first.served("twins", "both", "both").await;
    second.served("twins", "both", "both").await;

    for service in ["control-plane-api", "deployment-worker", "mcp-gateway"] {
        let pid = eventually(&format!("{service} runs"), async || platform.pid(service)).await;
        stop_outside_of_writes(pid).await;
        let head = checkout.publish(&deployed("twins", service, service), "While one sleeps");
        second.reached(&head).await;
        second.served("twins", service, service).await;
        keeper::signal("CONT", pid);
        // What was asleep knows it, too.
        first.reached(&head).await;
        first.served("twins", service, service).await;
    }
    checkout.publish(&deployed("twins", "both", "again"), "With both awake again");
    first.served("twins", "both", "again").await;
    second.served("twins", "both", "again").await;

    every_order_ended_once(&first).await;
    the_catalogue_is_what_the_api_shows(&first).await;
    the_catalogue_is_what_the_api_shows(&second).await;
    drop((plane, gateway));
    platform.stop().await;
}

/// Stops a process that holds no write lock of SQLite: that lock is over the whole store, so whoever sleeps with it
/// keeps every other replica from writing. (`PostgreSQL`, which is for replicas, locks rows.)
async fn stop_outside_of_writes(pid: u32) {
    eventually("the process stops outside of a write", async || {
        keeper::signal("STOP", pid);
        eventually("the process sleeps", async || keeper::is_stopped(pid).then_some(())).await;
        if !keeper::locks(pid, WRITE_LOCK) {
            return Some(());
        }
        keeper::signal("CONT", pid);
        None
    })
    .await;
}
