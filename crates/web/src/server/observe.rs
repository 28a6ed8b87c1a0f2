//! What happens around every request: id, span, time-out, panics, metrics, one log line.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    Error, HttpMessage as _,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        StatusCode,
        header::{HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::Next,
};
use futures_util::FutureExt as _;
use runtime::{Clock, Random, trace_context};
use tokio::time::timeout;
use tracing::{Instrument as _, Span, debug, field::Empty, info, info_span};

use super::{Parts, metrics::HttpMetrics};
use crate::{Kind, Problem, RequestId, request_id};

/// The route of a request that matched none.
const UNMATCHED: &str = "unmatched";

/// Watches every request of a server.
#[derive(Debug)]
pub(super) struct Observer {
    metrics: HttpMetrics,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Observer {
    pub(super) fn new(parts: &Parts, timeout: Duration) -> Self {
        Self {
            metrics: HttpMetrics::register(&parts.metrics),
            timeout,
            clock: Arc::clone(&parts.clock),
            random: Arc::clone(&parts.random),
        }
    }

    pub(super) async fn observe(
        &self,
        request: ServiceRequest,
        next: Next<BoxBody>,
    ) -> Result<ServiceResponse<BoxBody>, Error> {
        let id = RequestId::of(&request, self.clock.as_ref(), self.random.as_ref());
        let route = request.request().match_pattern().unwrap_or_else(|| UNMATCHED.to_owned());
        let method = request.method().clone();
        let span = span(&request, &route, &id);
        request.extensions_mut().insert(id.clone());

        let started = Instant::now();
        let answer = self.answer(request, next).instrument(span.clone()).await;
        let took = started.elapsed();

        let status = match &answer {
            Ok(answer) => answer.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        self.metrics.answered(&method, &route, status, took);
        span.in_scope(|| log(method.as_str(), &route, status, took));
        match answer {
            Ok(mut answer) => {
                mark(answer.headers_mut(), &id);
                Ok(answer)
            }
            Err(error) => {
                let mut response = span.in_scope(|| error.error_response());
                mark(response.headers_mut(), &id);
                Err(InternalError::from_response(error, response).into())
            }
        }
    }

    async fn answer(
        &self,
        request: ServiceRequest,
        next: Next<BoxBody>,
    ) -> Result<ServiceResponse<BoxBody>, Error> {
        let guarded = AssertUnwindSafe(next.call(request)).catch_unwind();
        match timeout(self.timeout, guarded).await {
            Ok(Ok(answer)) => answer.map(ServiceResponse::map_into_boxed_body),
            Ok(Err(_)) => {
                // The panic hook has written where and why.
                Err(Problem::internal(&Panicked).into())
            }
            Err(_) => {
                let detail = format!("the answer was not ready within {:?}", self.timeout);
                Err(Problem::new(Kind::Timeout, detail).into())
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the handler panicked")]
struct Panicked;

fn span(request: &ServiceRequest, route: &str, id: &RequestId) -> Span {
    let method = request.method().as_str();
    let span = info_span!("http.request", http.method = method, http.route = route, request.id = %id, caller = Empty);
    let traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    if let Some(traceparent) = traceparent {
        trace_context::adopt(&span, traceparent);
    }
    span
}

fn mark(headers: &mut HeaderMap, id: &RequestId) {
    headers.insert(request_id::HEADER, id.header());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// Probes and scrapes come every few seconds, so they are told at `debug`.
fn log(method: &str, route: &str, status: StatusCode, took: Duration) {
    let (status, micros) = (status.as_u16(), u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    if route == "/metrics" || route.starts_with("/health") {
        debug!(http.status = status, micros, "{method} {route} → {status}");
    } else {
        info!(http.status = status, micros, "{method} {route} → {status}");
    }
}
