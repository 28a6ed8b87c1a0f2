//! Whether a service can do its work at present.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;
use tracing::{info, warn};

use crate::Stopping;

type Gates = BTreeMap<String, Option<String>>;

/// The gates of one service; it is ready when all are open and no stop was requested.
#[derive(Clone, Debug)]
pub struct Readiness {
    gates: Arc<watch::Sender<Gates>>,
    stopping: Stopping,
}

/// One condition of readiness, closed at first.
#[derive(Clone, Debug)]
pub struct Gate {
    name: Arc<str>,
    gates: Arc<watch::Sender<Gates>>,
}

impl Readiness {
    /// No gates yet; a soft stop makes the report say so, whatever the gates say.
    #[must_use]
    pub fn new(stopping: Stopping) -> Self {
        Self { gates: Arc::new(watch::Sender::default()), stopping }
    }

    /// Adds a gate, closed with the reason `starting`.
    #[must_use]
    pub fn gate(&self, name: &str) -> Gate {
        let gate = Gate { name: name.into(), gates: Arc::clone(&self.gates) };
        self.gates.send_modify(|gates| {
            gates.insert(name.to_owned(), Some("starting".to_owned()));
        });
        gate
    }

    /// Every gate with the reason why it is closed, if it is.
    #[must_use]
    pub fn report(&self) -> Vec<(String, Option<String>)> {
        let gates = self.gates.borrow();
        let mut report: Vec<_> = gates.iter().map(|(name, reason)| (name.clone(), reason.clone())).collect();
        if self.stopping.is_requested() {
            report.push(("lifecycle".to_owned(), Some("stopping".to_owned())));
        }
        report
    }

    /// Whether all gates are open and no stop was requested.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.stopping.is_requested() && self.gates.borrow().values().all(Option::is_none)
    }

    /// Waits until all gates are open.
    pub async fn ready(&self) {
        let mut gates = self.gates.subscribe();
        // The sender is alive as long as `self`.
        let _ = gates.wait_for(|gates| gates.values().all(Option::is_none)).await;
    }
}

impl Gate {
    /// The condition holds.
    pub fn open(&self) {
        if self.set(None) {
            info!(gate = %self.name, "Gate `{}` is open", self.name);
        }
    }

    /// The condition no longer holds, because of `reason`.
    pub fn close(&self, reason: impl Into<String>) {
        let reason = reason.into();
        if self.set(Some(reason.clone())) {
            warn!(gate = %self.name, reason, "Gate `{}` is closed", self.name);
        }
    }

    fn set(&self, reason: Option<String>) -> bool {
        self.gates.send_if_modified(|gates| {
            let current = gates.entry(self.name.as_ref().to_owned()).or_default();
            let changed = *current != reason;
            *current = reason;
            changed
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lifecycle;

    #[tokio::test]
    async fn a_service_is_ready_when_every_gate_is_open() {
        let lifecycle = Lifecycle::manual();
        let readiness = Readiness::new(lifecycle.stopping());
        let (bus, store) = (readiness.gate("bus"), readiness.gate("store"));
        bus.open();
        store.close("disk full");
        assert!(!readiness.is_ready());
        let report = [("bus".to_owned(), None), ("store".to_owned(), Some("disk full".to_owned()))];
        assert_eq!(readiness.report(), report);
        store.open();
        readiness.ready().await;
        assert!(readiness.is_ready());
    }

    #[tokio::test]
    async fn a_soft_stop_ends_readiness() {
        let lifecycle = Lifecycle::manual();
        let readiness = Readiness::new(lifecycle.stopping());
        readiness.gate("bus").open();
        lifecycle.stopper().stop();
        assert!(!readiness.is_ready());
        let report = [("bus".to_owned(), None), ("lifecycle".to_owned(), Some("stopping".to_owned()))];
        assert_eq!(readiness.report(), report);
    }
}
