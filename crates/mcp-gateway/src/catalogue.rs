//! What the built-in tools know of the platform: the newest records of catalogue topics.

use std::{collections::BTreeMap, sync::Arc};

use event_bus::View;
use events::{CatalogApi, CatalogEnvironment, CatalogGateway, CatalogTenant, Envelope, Event};

/// The newest record of every key.
pub trait Records<E>: Send + Sync {
    /// The record of a key.
    fn record(&self, key: &str) -> Option<Arc<Envelope<E>>>;
    /// Every record, in the order of the keys.
    fn records(&self) -> Vec<Arc<Envelope<E>>>;
}

impl<E: Event> Records<E> for View<E> {
    fn record(&self, key: &str) -> Option<Arc<Envelope<E>>> {
        self.get(key)
    }

    fn records(&self) -> Vec<Arc<Envelope<E>>> {
        self.entries().into_values().collect()
    }
}

impl<E: Event> Records<E> for BTreeMap<String, Arc<Envelope<E>>> {
    fn record(&self, key: &str) -> Option<Arc<Envelope<E>>> {
        self.get(key).cloned()
    }

    fn records(&self) -> Vec<Arc<Envelope<E>>> {
        self.values().cloned().collect()
    }
}

/// The catalogue, as far as the gateway tells of it.
#[derive(Clone)]
pub struct Catalogue {
    /// Tenants by name.
    pub tenants: Arc<dyn Records<CatalogTenant>>,
    /// APIs by `tenant/api`.
    pub apis: Arc<dyn Records<CatalogApi>>,
    /// Environments and their levels.
    pub environments: Arc<dyn Records<CatalogEnvironment>>,
    /// Gateways by `environment/gateway`.
    pub gateways: Arc<dyn Records<CatalogGateway>>,
}

impl Default for Catalogue {
    /// Without any record.
    fn default() -> Self {
        Self {
            tenants: Arc::new(BTreeMap::new()),
            apis: Arc::new(BTreeMap::new()),
            environments: Arc::new(BTreeMap::new()),
            gateways: Arc::new(BTreeMap::new()),
        }
    }
}
