//! The REST API: one file per endpoint.
//!
//! Reads are answered from the snapshot of the desired state and from the store, never from a remote. Writes are
//! commands. Every answer says at which commit it stands (`Stoa-Commit`), and a caller may ask to wait for one.

mod apis;
mod around;
mod committed;
mod condition;
mod deployments;
mod environments;
mod events;
mod gateways;
mod me;
mod name;
mod once;
mod page;
mod problem;
mod requests;
mod snapshot;
mod tenants;
mod traces;

use std::sync::Arc;

use actix_web::{
    middleware::from_fn,
    web::{Data, ServiceConfig, scope},
};
use gitops::Repository;
use runtime::{Clock, Random, Spawner, Stopping};
use tokio::sync::Semaphore;
use web::{Verifier, cursor::Cursors};

use crate::{
    announce::Announce, commands::Commands, desired::DesiredState, metrics::Metrics, store::Store, wake::Wake,
};

/// How many streams a replica serves at once.
pub(crate) const STREAMS: usize = 1000;

/// What the routes stand on; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) commands: Commands,
    pub(crate) desired: DesiredState,
    pub(crate) repository: Repository,
    pub(crate) store: Store,
    pub(crate) announce: Arc<dyn Announce>,
    pub(crate) wake: Wake,
    pub(crate) verifier: Verifier,
    pub(crate) cursors: Cursors,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) spawner: Spawner,
    pub(crate) stopping: Stopping,
    /// One permit per stream that is open; [`STREAMS`] of them.
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) metrics: Metrics,
}

/// Adds the routes under `/v1`.
pub(crate) fn configure(config: &mut ServiceConfig, state: &State) {
    config.app_data(Data::new(state.clone())).app_data(Data::new(state.verifier.clone())).service(
        scope("/v1")
            .wrap(from_fn(around::around))
            .configure(me::routes)
            .configure(apis::routes)
            .configure(deployments::routes)
            .configure(requests::routes)
            .configure(tenants::routes)
            .configure(gateways::routes)
            .configure(environments::routes)
            .configure(traces::routes)
            .configure(events::routes),
    );
}

#[cfg(test)]
mod tests;
