//! Wakes the readers of a tenant's stream in this replica when something was written for it.
//!
//! Only a hint: readers look at the store, and look again every second for what other replicas wrote.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

/// The wake-ups of one replica; clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wake(Arc<Mutex<HashMap<String, watch::Sender<u64>>>>);

impl Wake {
    /// Wakes the readers of `tenant`.
    pub(crate) fn notify(&self, tenant: &str) {
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody listens any more: the entry goes, so the map stays as small as the audience.
        if let Some(sender) = tenants.get(tenant) {
            if sender.receiver_count() == 0 {
                tenants.remove(tenant);
            } else {
                sender.send_modify(|count| *count += 1);
            }
        }
    }

    /// What a reader of `tenant` waits on.
    pub(crate) fn listen(&self, tenant: &str) -> watch::Receiver<u64> {
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.entry(tenant.to_owned()).or_default().subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn readers_of_a_tenant_are_woken_and_others_sleep() {
        let wake = Wake::default();
        let (mut acme, globex) = (wake.listen("acme"), wake.listen("globex"));
        wake.notify("acme");
        acme.changed().await.unwrap();
        assert!(!globex.has_changed().unwrap());
    }

    #[test]
    fn an_audience_that_left_is_forgotten() {
        let wake = Wake::default();
        drop(wake.listen("acme"));
        wake.notify("acme");
        assert!(wake.0.lock().unwrap().is_empty());
    }
}
