use std::time::{Duration, Instant};

use runtime::Outcome;
use web::Settings;

use crate::app::{Answer, App};

#[tokio::test]
async fn a_request_in_flight_is_answered_after_a_soft_stop() {
    let app = App::start();
    let answering = async { Answer::of(app.request("/held", "").send().await.unwrap()).await };
    let stopping = async {
        app.held.arrived.notified().await;
        app.lifecycle.stopper().stop();
        app.held.released.notify_one();
    };
    let (answer, ()) = tokio::join!(answering, stopping);
    assert_eq!((answer.status, answer.text.as_str()), (200, "finished"));
    assert_eq!(app.lifecycle.outcome().await, Outcome::Clean);
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_the_stop_up() {
    let app = App::start();
    assert_eq!(app.get("/health/live", "").await.status, 200);
    app.lifecycle.stopper().stop();
    let started = Instant::now();
    assert_eq!(app.lifecycle.outcome().await, Outcome::Clean);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[tokio::test]
async fn readiness_is_false_before_the_listener_closes() {
    let app = App::start_with(|settings| Settings { drain: Duration::from_secs(1), ..settings });
    app.gate.open();
    assert_eq!(app.get("/health/ready", "").await.status, 200);
    app.lifecycle.stopper().stop();
    let answer = app.get("/health/ready", "").await;
    assert_eq!((answer.status, answer.json()["gates"]["lifecycle"].clone()), (503, "stopping".into()));
}
