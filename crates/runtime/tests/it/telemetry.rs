use std::{
    io,
    sync::{Arc, Mutex},
};

use runtime::{Lifecycle, telemetry, trace_context};
use tracing::{info, info_span};

use crate::server::serve;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One test, because a process has one subscriber.
#[tokio::test(flavor = "multi_thread")]
async fn logs_are_json_and_traces_are_sent_with_the_callers_trace_id() {
    let lifecycle = Lifecycle::manual();
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (endpoint, mut requests) = serve(&lifecycle, answer).await;
    let settings =
        telemetry::Settings { endpoint: Some(endpoint.parse().unwrap()), ..telemetry::Settings::default() };
    let lines = Lines::default();
    let writer = lines.clone();
    let guard = telemetry::init_with("mcp-gateway", &settings, move || writer.clone()).unwrap();

    let span = info_span!("call", tool = "pets");
    trace_context::adopt(&span, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let traceparent = span.in_scope(|| {
        info!(attempt = 2, "Calling `pets`");
        trace_context::traceparent().unwrap()
    });
    drop(span);
    assert!(traceparent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{traceparent}");
    assert!(traceparent.ends_with("-01"), "{traceparent}");

    tokio::task::spawn_blocking(move || drop(guard)).await.unwrap();
    let request = requests.recv().await.unwrap();
    assert!(request.starts_with("POST /v1/traces HTTP/1.1"), "{request}");

    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let line = text.lines().find(|line| line.contains("Calling")).unwrap();
    for part in [r#""level":"INFO""#, r#""message":"Calling `pets`""#, r#""attempt":2"#, r#""tool":"pets""#] {
        assert!(line.contains(part), "{line}");
    }
    assert!(telemetry::init("mcp-gateway", &settings).is_err(), "a process has one subscriber");
}
