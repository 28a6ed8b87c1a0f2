//! What this process wrote to `gateway-routes` and has perhaps not read back.
//!
//! A view runs a little behind. Most of the time that does not matter, because the gateways are further behind. It
//! does where a decision rests on what the order before has just written.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use event_bus::View;
use events::GatewayRoute;
use tokio::time::timeout;
use tracing::warn;
use uuid::Uuid;

/// How long to wait for a record of ours; one whose transaction failed never comes.
const PATIENCE: Duration = Duration::from_secs(5);

/// The id of the newest record that this process wrote under a key; none for a removal.
#[derive(Debug, Default)]
pub(crate) struct Written(Mutex<HashMap<String, Option<Uuid>>>);

impl Written {
    /// A record with this id, or a removal, is about to be written under `key`.
    pub(super) fn expect(&self, key: &str, id: Option<Uuid>) {
        self.table().insert(key.to_owned(), id);
    }

    /// Whether this very record was written under `key`, and nothing was asked of it since.
    pub(super) fn expects(&self, key: &str, id: Uuid) -> bool {
        self.table().get(key) == Some(&Some(id))
    }

    /// Waits until the view has what was expected under `key`.
    pub(super) async fn read_back(&self, view: &View<GatewayRoute>, key: &str) {
        let Some(id) = self.table().remove(key) else { return };
        let there = view.until(|view| view.get(key).map(|route| route.id) == id);
        if timeout(PATIENCE, there).await.is_err() {
            warn!("What was written at {key} was not read back; going on with what is there");
        }
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Option<Uuid>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
