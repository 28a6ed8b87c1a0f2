//! What the control plane counts. Labels are words of ours, never names that tenants choose.

use jiff::Timestamp;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};

pub(crate) const LOOKED: &str = "control_plane_relay_looked_timestamp_seconds";
pub(crate) const BEHIND: &str = "control_plane_relay_commits_behind";
pub(crate) const BEHIND_SINCE: &str = "control_plane_relay_behind_since_timestamp_seconds";
pub(crate) const STEP_SINCE: &str = "control_plane_relay_step_open_since_timestamp_seconds";
pub(crate) const STEPS: &str = "control_plane_relay_steps";
pub(crate) const ORDERS: &str = "control_plane_orders";
pub(crate) const DEPLOYMENTS: &str = "control_plane_deployments_ended";
pub(crate) const REQUESTS: &str = "control_plane_requests";
pub(crate) const STREAMS: &str = "control_plane_streams_open";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Step {
    pub(crate) kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Order {
    /// `apply`, `remove`, `reassert` or `sync`.
    pub(crate) kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Deployment {
    pub(crate) status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Request {
    pub(crate) topic: &'static str,
    /// `accepted` or `refused`.
    pub(crate) outcome: &'static str,
}

/// The metrics of the control plane; clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    looked: Gauge,
    behind: Gauge,
    behind_since: Gauge,
    step_since: Gauge,
    pub(crate) steps: Family<Step, Counter>,
    pub(crate) orders: Family<Order, Counter>,
    pub(crate) deployments: Family<Deployment, Counter>,
    pub(crate) requests: Family<Request, Counter>,
    streams: Gauge,
}

impl Metrics {
    pub(crate) fn register(registry: &runtime::Metrics) -> Self {
        let metrics = Self::default();
        registry.register(|registry| {
            registry.register(
                LOOKED,
                "When the relay ended its last look at Git well",
                metrics.looked.clone(),
            );
            let help = "Commits of the branch that the relay has seen and not relayed";
            registry.register(BEHIND, help, metrics.behind.clone());
            let help = "When the relay saw the first of them; 0 when there are none";
            registry.register(BEHIND_SINCE, help, metrics.behind_since.clone());
            let help = "When the relay began the step that is open; 0 when there is none";
            registry.register(STEP_SINCE, help, metrics.step_since.clone());
            registry.register(STEPS, "Steps that the relay closed", metrics.steps.clone());
            let help = "Orders that the relay wrote, repeats after a crash included";
            registry.register(ORDERS, help, metrics.orders.clone());
            let help = "Orders whose end became known, by how they ended";
            registry.register(DEPLOYMENTS, help, metrics.deployments.clone());
            registry.register(
                REQUESTS,
                "Requests by topic, by their outcome, repeats included",
                metrics.requests.clone(),
            );
            registry.register(STREAMS, "Event streams that are open", metrics.streams.clone());
        });
        metrics
    }

    /// The relay has seen so many commits that it has not relayed.
    pub(crate) fn is_behind(&self, commits: usize, now: Timestamp) {
        self.behind.set(i64::try_from(commits).unwrap_or(i64::MAX));
        if commits == 0 {
            self.behind_since.set(0);
        } else if self.behind_since.get() == 0 {
            self.behind_since.set(now.as_second());
        }
    }

    /// A look came to its end.
    pub(crate) fn has_looked(&self, now: Timestamp) {
        self.looked.set(now.as_second());
    }

    /// A step is open from `since` on, unless it is tried again.
    pub(crate) fn step_begins(&self, since: Timestamp) {
        if self.step_since.get() == 0 {
            self.step_since.set(since.as_second());
        }
    }

    /// This replica works on no step.
    pub(crate) fn no_step_is_open(&self) {
        self.step_since.set(0);
    }

    /// A step of this kind was closed.
    pub(crate) fn step_ends(&self, kind: &'static str) {
        self.no_step_is_open();
        self.steps.get_or_create(&Step { kind }).inc();
    }

    /// A stream is open as long as this is kept.
    pub(crate) fn stream(&self) -> Open {
        self.streams.inc();
        Open(self.streams.clone())
    }
}

/// Something that is open.
#[derive(Debug)]
pub(crate) struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn everything_is_told_under_its_name() {
        let registry = runtime::Metrics::new("control-plane-api");
        let metrics = Metrics::register(&registry);
        metrics.has_looked(at(7));
        metrics.step_ends("synced");
        metrics.orders.get_or_create(&Order { kind: "sync" }).inc();
        metrics.deployments.get_or_create(&Deployment { status: "failed" }).inc();
        let request = Request { topic: "deploy-requests", outcome: "refused" };
        metrics.requests.get_or_create(&request).inc();
        let open = metrics.stream();
        let told = registry.encode();
        let samples: Vec<&str> = told.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            samples,
            [
                "stoa_control_plane_relay_looked_timestamp_seconds{service=\"control-plane-api\"} 7",
                "stoa_control_plane_relay_commits_behind{service=\"control-plane-api\"} 0",
                "stoa_control_plane_relay_behind_since_timestamp_seconds{service=\"control-plane-api\"} 0",
                "stoa_control_plane_relay_step_open_since_timestamp_seconds{service=\"control-plane-api\"} 0",
                "stoa_control_plane_relay_steps_total{service=\"control-plane-api\",kind=\"synced\"} 1",
                "stoa_control_plane_orders_total{service=\"control-plane-api\",kind=\"sync\"} 1",
                "stoa_control_plane_deployments_ended_total{service=\"control-plane-api\",status=\"failed\"} 1",
                "stoa_control_plane_requests_total{service=\"control-plane-api\",topic=\"deploy-requests\",outcome=\"refused\"} 1",
                "stoa_control_plane_streams_open{service=\"control-plane-api\"} 1",
            ]
        );
        drop(open);
        assert_eq!(metrics.streams.get(), 0);
    }

    #[test]
    fn being_behind_lasts_from_the_first_commit_until_none_is_left() {
        let metrics = Metrics::default();
        let seen = |metrics: &Metrics| (metrics.behind.get(), metrics.behind_since.get());
        metrics.is_behind(2, at(10));
        metrics.is_behind(3, at(20));
        assert_eq!(seen(&metrics), (3, 10));
        metrics.is_behind(0, at(30));
        assert_eq!(seen(&metrics), (0, 0));
        metrics.is_behind(1, at(40));
        assert_eq!(seen(&metrics), (1, 40));
    }
}
