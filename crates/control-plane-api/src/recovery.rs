//! After the broker was lost: a new epoch on the broker that is there, and everything that can come back.
//!
//! Desired state comes from Git and the store, the registry's ids from `schemas/ids.lock`, what gateways serve from
//! one `reassert` order per live deployment. What cannot come back: requests of other teams that were not taken in,
//! and records that others had not read yet.

use std::sync::Arc;

use actix_web::{
    HttpResponse, post,
    web::{Data, ServiceConfig},
};
use domain::id::{CommitId, Epoch};
use event_bus::Bus;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use tracing::{info, warn};
use web::{Authorized, Json, Kind, Problem, permission::TenantsCreate};

use crate::{engine::Engine, relay::RelayError, store};

/// Recovers, once at a time.
#[derive(Clone)]
pub(crate) struct Recovery {
    engine: Engine,
    turn: Arc<Mutex<()>>,
}

/// Why a recovery did not end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecoveryError {
    #[error("the broker is the one that the store knows; there is nothing to recover from")]
    NothingLost,
    #[error("the topics or schemas could not be restored")]
    Bus(#[from] event_bus::Error),
    #[error("the schemas could not be restored")]
    Registry(#[from] event_bus::RegistryError),
    #[error("the store failed")]
    Store(#[from] store::Error),
    #[error("the state could not be published again")]
    Relay(#[from] RelayError),
}

impl From<RecoveryError> for Problem {
    fn from(error: RecoveryError) -> Self {
        match error {
            RecoveryError::NothingLost => Problem::new(Kind::Conflict, error.to_string()),
            other => Problem::unavailable("the recovery", &other, 5),
        }
    }
}

impl Recovery {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine, turn: Arc::default() }
    }

    /// Raises the epoch and publishes everything again; returns the new epoch.
    async fn recover(&self) -> Result<Epoch, RecoveryError> {
        let _one_at_a_time = self.turn.lock().await;
        let engine = &self.engine;
        let here = engine.bus.cluster_id();
        let known = engine.store.cluster_id().await?;
        if known.as_deref() == Some(here) {
            return Err(RecoveryError::NothingLost);
        }
        let epoch = engine.store.epoch().await?.next();
        warn!(known, here, %epoch, "Recovering on another broker, epoch {epoch}");
        restore(&engine.bus).await?;
        let now = engine.clock.now();
        let mut tx = engine.store.begin().await?;
        engine.store.set_cluster(&mut tx, epoch, here).await?;
        engine.store.clear_catalog_positions(&mut tx).await?;
        engine.store.end_lost_orders(&mut tx, epoch, now).await?;
        tx.commit().await.map_err(store::Error::from)?;
        let relay = engine.relay(epoch).await?;
        relay.reassert().await?;
        engine.start(epoch, relay);
        info!(%epoch, "Recovered");
        Ok(epoch)
    }
}

/// Topics from their table, schemas under their fixed ids.
async fn restore(bus: &Bus) -> Result<(), RecoveryError> {
    bus.topics().apply(events::topics::ALL).await?;
    bus.registry().restore().await?;
    Ok(())
}

/// Adds the routes of operators.
pub(crate) fn configure(config: &mut ServiceConfig, recovery: &Recovery) {
    config.app_data(Data::new(recovery.clone())).service(recover).service(approve);
}

/// `POST /v1/recovery`: recover on the broker that is there.
#[post("/v1/recovery")]
async fn recover(
    _caller: Authorized<TenantsCreate>,
    recovery: Data<Recovery>,
) -> Result<HttpResponse, Problem> {
    let epoch = recovery.recover().await?;
    Ok(HttpResponse::Ok().json(json!({ "epoch": epoch, "cluster": recovery.engine.bus.cluster_id() })))
}

/// A commit that waits because it removes much.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    commit: CommitId,
}

/// `POST /v1/relay/approvals`: a commit may remove more than the cap.
#[post("/v1/relay/approvals")]
async fn approve(
    caller: Authorized<TenantsCreate>,
    recovery: Data<Recovery>,
    approval: Json<Approval>,
) -> Result<HttpResponse, Problem> {
    let commit = &approval.0.commit;
    let approved = recovery.engine.store.approve_removal(commit).await;
    approved.map_err(|error| Problem::unavailable("the store", &error, 5))?;
    warn!(%commit, actor = caller.principal().username, "Approved what {commit} removes");
    Ok(HttpResponse::Accepted().json(json!({ "commit": commit })))
}
