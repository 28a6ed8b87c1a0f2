//! The metrics of one service.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::{encoding::text::encode, registry::Registry};
use tracing::error;

/// The registry of one service, shared by cloning; never global, because several services may share a process.
///
/// Every name begins with `stoa_`, and every sample carries the label `service`.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Mutex<Registry>>);

impl Metrics {
    /// An empty registry for `service`.
    #[must_use]
    pub fn new(service: &str) -> Self {
        let labels = [("service".into(), service.to_owned().into())];
        Self(Arc::new(Mutex::new(Registry::with_prefix_and_labels("stoa", labels.into_iter()))))
    }

    /// Registers what `register` adds, once for each library or service.
    pub fn register<T>(&self, register: impl FnOnce(&mut Registry) -> T) -> T {
        register(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All samples in the `OpenMetrics` text format.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        let registry = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if encode(&mut text, &registry).is_err() {
            error!("Could not write the metrics as text");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;

    #[test]
    fn samples_carry_prefix_and_service() {
        let metrics = Metrics::new("mcp-gateway");
        let calls = metrics.register(|registry| {
            let calls = Counter::<u64>::default();
            registry.register("calls", "Tool calls", calls.clone());
            calls
        });
        calls.inc();
        let expected = "# HELP stoa_calls Tool calls.\n# TYPE stoa_calls counter\n\
                        stoa_calls_total{service=\"mcp-gateway\"} 1\n# EOF\n";
        assert_eq!(metrics.encode(), expected);
    }
}
