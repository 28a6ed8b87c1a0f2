//! The one way to a backend, for the proxy and for tool calls.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use reqwest::{Client, Method, Request, Response};
use tokio::time::timeout;
use tracing::{Instrument as _, info_span, warn};

use crate::{metrics::Metrics, routes::Upstream};

/// Why a backend gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the backend did not answer within {0:?}")]
    Timeout(std::time::Duration),
    #[error("the backend could not be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the backend broke off its answer")]
    Broken(#[source] reqwest::Error),
    #[error("the backend's answer has more than {limit} bytes")]
    TooLarge { limit: usize, beginning: Bytes },
}

/// Connections to backends; each worker has its own, so that an answer never changes threads.
#[derive(Clone, Debug)]
pub(crate) struct Executor {
    client: Client,
    metrics: Metrics,
}

impl Executor {
    pub(crate) fn new(client: Client, metrics: Metrics) -> Self {
        Self { client, metrics }
    }

    /// Sends a request, and waits until its answer begins.
    pub(crate) async fn send(&self, upstream: &Upstream, mut request: Request) -> Result<Response, Error> {
        let method = known(request.method());
        let span = info_span!("backend.request", backend = %upstream.label, http.method = method);
        let call = async {
            // Set here, so that the backend's span hangs below this one.
            if let Some(parent) = runtime::trace_context::traceparent().and_then(|parent| parent.parse().ok())
            {
                request.headers_mut().insert("traceparent", parent);
            }
            let started = Instant::now();
            let answer = timeout(upstream.timeout, self.client.execute(request)).await;
            let status = answer
                .as_ref()
                .ok()
                .and_then(|answer| answer.as_ref().ok())
                .map_or(0, |r| r.status().as_u16());
            self.metrics.answered(&upstream.label, method, status, started.elapsed());
            match answer {
                Err(_) => Err(Error::Timeout(upstream.timeout)),
                Ok(Ok(response)) => Ok(response),
                Ok(Err(error)) if error.is_timeout() => Err(Error::Timeout(upstream.timeout)),
                Ok(Err(error)) => {
                    let error = error.without_url();
                    warn!(backend = %upstream.label, cause = %runtime::chain(&error), "A backend could not be reached");
                    Err(Error::Unreachable(error))
                }
            }
        };
        call.instrument(span).await
    }

    /// The whole body of an answer, up to `limit` bytes.
    pub(crate) async fn read(
        &self,
        upstream: &Upstream,
        mut response: Response,
        limit: usize,
    ) -> Result<Bytes, Error> {
        let mut body = BytesMut::new();
        let read = async {
            while let Some(chunk) =
                response.chunk().await.map_err(|error| Error::Broken(error.without_url()))?
            {
                if body.is_empty()
                    && chunk.len() <= limit
                    && response.content_length() == Some(chunk.len() as u64)
                {
                    return Ok(chunk);
                }
                if body.len() + chunk.len() > limit {
                    body.extend_from_slice(&chunk[..limit - body.len()]);
                    return Err(Error::TooLarge { limit, beginning: body.split().freeze() });
                }
                body.extend_from_slice(&chunk);
            }
            Ok(body.split().freeze())
        };
        timeout(upstream.timeout, read).await.unwrap_or(Err(Error::Timeout(upstream.timeout)))
    }
}

fn known(method: &Method) -> &'static str {
    const USUAL: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];
    USUAL.into_iter().find(|usual| method.as_str() == *usual).unwrap_or("other")
}
