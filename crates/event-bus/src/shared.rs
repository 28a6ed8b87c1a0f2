//! What every part of a bus needs.

use std::sync::Arc;

use runtime::{Backoff, Clock, Random};

use crate::{metrics::Metrics, registry::Registry, settings::Settings};

/// One for all clones of a bus.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) service: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) registry: Registry,
    pub(crate) metrics: Metrics,
    pub(crate) backoff: Backoff,
    pub(crate) cluster_id: String,
}
