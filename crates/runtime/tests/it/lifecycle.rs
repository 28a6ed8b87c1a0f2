use std::{
    convert::Infallible,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use runtime::{Lifecycle, Outcome, Stopping};
use rustix::process::{Signal, getpid, kill_process};
use tokio::{sync::oneshot, time::sleep};

#[derive(Debug, thiserror::Error)]
#[error("the peer hung up")]
struct HungUp;

async fn until_stopped(stopping: Stopping) -> Result<(), Infallible> {
    stopping.requested().await;
    Ok(())
}

#[tokio::test]
async fn a_task_in_flight_finishes_after_a_soft_stop() {
    let lifecycle = Lifecycle::manual();
    let finished = Arc::new(AtomicBool::new(false));
    let (stopping, seen) = (lifecycle.stopping(), Arc::clone(&finished));
    lifecycle.spawn("worker", async move {
        stopping.requested().await;
        sleep(Duration::from_millis(20)).await;
        seen.store(true, Ordering::Release);
        Ok::<_, Infallible>(())
    });
    lifecycle.stopper().stop();
    assert_eq!(lifecycle.outcome().await, Outcome::Clean);
    assert!(finished.load(Ordering::Acquire));
}

#[tokio::test]
async fn a_stuck_task_is_cut_at_the_deadline() {
    let lifecycle = Lifecycle::manual().with_deadline(Duration::from_millis(20));
    let (held, dropped) = oneshot::channel::<()>();
    lifecycle.spawn("stuck", async move {
        std::future::pending::<()>().await;
        drop(held);
        Ok::<_, Infallible>(())
    });
    lifecycle.stopper().stop();
    assert_eq!(lifecycle.outcome().await, Outcome::Failed);
    assert!(dropped.await.is_err(), "what the task held is gone");
}

#[tokio::test]
async fn a_failing_task_stops_the_others() {
    let lifecycle = Lifecycle::manual();
    lifecycle.spawn("steady", until_stopped(lifecycle.stopping()));
    lifecycle.spawn("consumer", async { Err::<(), _>(HungUp) });
    assert_eq!(lifecycle.outcome().await, Outcome::Failed);
}

#[tokio::test]
async fn a_panicking_task_stops_the_others() {
    let lifecycle = Lifecycle::manual();
    lifecycle.spawn("steady", until_stopped(lifecycle.stopping()));
    lifecycle.spawn("careless", async {
        let index = std::hint::black_box(3);
        Err::<(), _>(io::Error::other([""; 2][index]))
    });
    assert_eq!(lifecycle.outcome().await, Outcome::Failed);
}

#[tokio::test]
async fn a_task_that_ends_early_is_a_failure() {
    let lifecycle = Lifecycle::manual();
    lifecycle.spawn("short", async { Ok::<_, Infallible>(()) });
    assert_eq!(lifecycle.outcome().await, Outcome::Failed);
}

#[tokio::test]
async fn a_job_may_end_early_but_not_fail() {
    let lifecycle = Lifecycle::manual();
    let spawner = lifecycle.spawner();
    let (done, finished) = oneshot::channel();
    spawner.job("import", async move { done.send(()).map_err(|()| HungUp) });
    finished.await.unwrap();
    assert!(!lifecycle.stopping().is_requested());
    spawner.job("export", async { Err::<(), _>(HungUp) });
    assert_eq!(lifecycle.outcome().await, Outcome::Failed);
}

#[tokio::test]
async fn several_services_share_one_lifecycle() {
    let lifecycle = Lifecycle::manual();
    for service in ["control-plane-api", "deployment-worker", "mcp-gateway"] {
        lifecycle.spawn(format!("{service}/consume"), until_stopped(lifecycle.stopping()));
    }
    lifecycle.stopper().stop();
    assert_eq!(lifecycle.outcome().await, Outcome::Clean);
}

#[tokio::test]
async fn work_ends_when_a_stop_is_requested_first() {
    let lifecycle = Lifecycle::manual();
    let stopping = lifecycle.stopping();
    assert_eq!(stopping.unless_requested(async { 7 }).await, Some(7));
    lifecycle.stopper().stop();
    assert_eq!(stopping.unless_requested(std::future::pending::<u8>()).await, None);
}

#[tokio::test]
async fn a_dropped_lifecycle_leaves_no_task_behind() {
    let lifecycle = Lifecycle::manual();
    let (held, dropped) = oneshot::channel::<()>();
    lifecycle.spawn("forgotten", async move {
        std::future::pending::<()>().await;
        drop(held);
        Ok::<_, Infallible>(())
    });
    drop(lifecycle);
    assert!(dropped.await.is_err());
}

#[tokio::test]
async fn the_first_signal_is_soft_and_the_second_is_hard() {
    let lifecycle = Lifecycle::listen().unwrap();
    let stopping = lifecycle.stopping();
    let (softly, soft) = oneshot::channel();
    lifecycle.spawn("stubborn", async move {
        stopping.requested().await;
        softly.send(()).map_err(|()| HungUp)?;
        std::future::pending::<Result<(), HungUp>>().await
    });
    let signals = async {
        kill_process(getpid(), Signal::TERM).unwrap();
        soft.await.unwrap();
        kill_process(getpid(), Signal::INT).unwrap();
    };
    let (outcome, ()) = tokio::join!(lifecycle.outcome(), signals);
    assert_eq!(outcome, Outcome::Failed);
}
