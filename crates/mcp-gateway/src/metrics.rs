//! What the gateway counts. Labels are names of routes and tools that are or were served, never what callers send.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
};
use web::AuthError;

use crate::routes::Route;

const PREFIX: &str = "mcp_gateway";
const CALL_BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Tools that have series of their own; beyond that they are counted as `other`.
const TOOLS: usize = 2_000;
const OTHER: &str = "other";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Invocation {
    tool_name: String,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToolName {
    tool_name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Authenticated {
    status: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    backend: String,
    method: &'static str,
    status_code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Backend {
    backend: String,
    method: &'static str,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The gateway's metrics.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    invocations: Family<Invocation, Counter>,
    durations: Histograms<ToolName>,
    tools: Gauge,
    routes: Gauge,
    streams: Gauge,
    authentications: Family<Authenticated, Counter>,
    backend_requests: Family<Answered, Counter>,
    backend_durations: Histograms<Backend>,
    named: Arc<AtomicUsize>,
}

impl Metrics {
    pub(crate) fn register(metrics: &runtime::Metrics, environment: &str) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(CALL_BUCKETS);
        let own = Self {
            invocations: Family::default(),
            durations: Family::new_with_constructor(histogram),
            tools: Gauge::default(),
            routes: Gauge::default(),
            streams: Gauge::default(),
            authentications: Family::default(),
            backend_requests: Family::default(),
            backend_durations: Family::new_with_constructor(histogram),
            named: Arc::default(),
        };
        let info = Info::new(vec![
            ("name".to_owned(), crate::settings::SERVICE.to_owned()),
            ("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("environment".to_owned(), environment.to_owned()),
        ]);
        metrics.register(|registry| {
            let registry = registry.sub_registry_with_prefix(PREFIX);
            registry.register("mcp_tool_invocations", "Tool calls", own.invocations.clone());
            registry.register(
                "mcp_tool_invocation_duration_seconds",
                "Time of tool calls",
                own.durations.clone(),
            );
            registry.register("mcp_tools_registered", "Tools that are served", own.tools.clone());
            registry.register("routes", "APIs that are served", own.routes.clone());
            registry.register("mcp_streams", "Open streams of notifications", own.streams.clone());
            registry.register("auth_requests", "Tokens that were checked", own.authentications.clone());
            registry.register("backend_requests", "Answers of backends", own.backend_requests.clone());
            let help = "Time until a backend's answer begins";
            registry.register("backend_request_duration_seconds", help, own.backend_durations.clone());
            registry.register("service", "The service", info);
        });
        own
    }

    pub(crate) fn served(&self, routes: usize, tools: usize) {
        self.routes.set(i64::try_from(routes).unwrap_or(i64::MAX));
        self.tools.set(i64::try_from(tools).unwrap_or(i64::MAX));
    }

    /// Ends the series of a route that is served no more.
    pub(crate) fn forget(&self, route: &Route) {
        for tool in &route.tools {
            let tool_name = tool.name.clone();
            if self.durations.remove(&ToolName { tool_name: tool_name.clone() }) {
                self.named.fetch_sub(1, Ordering::Relaxed);
            }
            for status in [SUCCESS, TOOL_ERROR, INVALID] {
                self.invocations.remove(&Invocation { tool_name: tool_name.clone(), status });
            }
        }
    }

    pub(crate) fn called(&self, tool: &str, status: &'static str, after: Duration) {
        let mut label = ToolName { tool_name: tool.to_owned() };
        if self.durations.get(&label).is_none() && self.named.fetch_add(1, Ordering::Relaxed) >= TOOLS {
            self.named.fetch_sub(1, Ordering::Relaxed);
            OTHER.clone_into(&mut label.tool_name);
        }
        self.durations.get_or_create(&label).observe(after.as_secs_f64());
        self.invocations.get_or_create(&Invocation { tool_name: label.tool_name, status }).inc();
    }

    pub(crate) fn authenticated(&self, error: Option<&AuthError>) {
        let (status, reason) = match error {
            None => ("success", "none"),
            Some(error) => ("failure", reason(error)),
        };
        self.authentications.get_or_create(&Authenticated { status, reason }).inc();
    }

    /// `status_code` 0 means that there was no answer.
    pub(crate) fn answered(&self, backend: &str, method: &'static str, status_code: u16, took: Duration) {
        let backend = backend.to_owned();
        self.backend_durations
            .get_or_create(&Backend { backend: backend.clone(), method })
            .observe(took.as_secs_f64());
        self.backend_requests.get_or_create(&Answered { backend, method, status_code }).inc();
    }

    pub(crate) fn stream(&self) -> OpenStream {
        self.streams.inc();
        OpenStream(self.streams.clone())
    }
}

/// Counts a stream until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenStream(Gauge);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The backend answered well.
pub(crate) const SUCCESS: &str = "success";
/// The tool's result is an error.
pub(crate) const TOOL_ERROR: &str = "tool_error";
/// The arguments did not fit.
pub(crate) const INVALID: &str = "invalid_arguments";

fn reason(error: &AuthError) -> &'static str {
    match error {
        AuthError::Missing => "missing",
        AuthError::Malformed => "malformed",
        AuthError::Algorithm => "algorithm",
        AuthError::UnknownKey => "unknown_key",
        AuthError::Signature => "signature",
        AuthError::Issuer => "issuer",
        AuthError::Audience => "audience",
        AuthError::Expired => "expired",
        AuthError::Early => "early",
        AuthError::Claim(_) => "claim",
        AuthError::Unavailable => "unavailable",
    }
}
