//! Keeps the table equal to `gateway-routes`.

use std::{collections::BTreeMap, sync::Arc};

use event_bus::View;
use events::{Envelope, GatewayAck, GatewayRoute};
use runtime::{Gate, Stopping};
use tokio::{
    sync::{broadcast::error::RecvError, mpsc::UnboundedSender},
    task::{JoinError, spawn_blocking},
};
use tracing::info;

use crate::gateway::Gateway;

type Changes = Vec<(String, Option<Arc<Envelope<GatewayRoute>>>)>;

/// Applies what the view holds, then every change of it, until the stop.
pub(crate) async fn follow(
    view: View<GatewayRoute>,
    gateway: Gateway,
    acks: UnboundedSender<GatewayAck>,
    ready: Gate,
    stopping: Stopping,
) -> Result<(), JoinError> {
    if stopping.unless_requested(view.caught_up()).await.is_none() {
        return Ok(());
    }
    // Before the view is read, so that nothing falls between; what came with the catching up is in the view.
    let mut changes = view.changes();
    let mut known = view.entries();
    let all = known.iter().map(|(key, envelope)| (key.clone(), Some(Arc::clone(envelope)))).collect();
    apply(&gateway, &acks, all).await?;
    info!(routes = known.len(), "The routes are caught up");
    ready.open();
    while let Some(change) = stopping.unless_requested(changes.recv()).await {
        let batch = match change {
            Ok(change) => {
                if !is_news(&mut known, &change.key, change.envelope.as_ref()) {
                    continue;
                }
                vec![(change.key, change.envelope)]
            }
            Err(RecvError::Lagged(_)) => missed(&mut known, view.entries()),
            Err(RecvError::Closed) => break,
        };
        apply(&gateway, &acks, batch).await?;
    }
    stopping.requested().await;
    Ok(())
}

async fn apply(
    gateway: &Gateway,
    acks: &UnboundedSender<GatewayAck>,
    batch: Changes,
) -> Result<(), JoinError> {
    let gateway = gateway.clone();
    let said = spawn_blocking(move || gateway.apply(batch)).await?;
    for ack in said {
        // The receiver ends only with the process.
        let _ = acks.send(ack);
    }
    Ok(())
}

/// Changes that were noticed before the view was read are in it already.
fn is_news(
    known: &mut BTreeMap<String, Arc<Envelope<GatewayRoute>>>,
    key: &str,
    envelope: Option<&Arc<Envelope<GatewayRoute>>>,
) -> bool {
    match envelope {
        None => {
            known.remove(key);
            true
        }
        Some(envelope) => {
            let former = known.insert(key.to_owned(), Arc::clone(envelope));
            former.is_none_or(|former| !Arc::ptr_eq(&former, envelope))
        }
    }
}

/// What differs after too many changes came at once.
fn missed(
    known: &mut BTreeMap<String, Arc<Envelope<GatewayRoute>>>,
    now: BTreeMap<String, Arc<Envelope<GatewayRoute>>>,
) -> Changes {
    let gone = known.keys().filter(|key| !now.contains_key(*key)).map(|key| (key.clone(), None));
    let news =
        now.iter().filter(|(key, envelope)| !known.get(*key).is_some_and(|old| Arc::ptr_eq(old, envelope)));
    let batch = gone.chain(news.map(|(key, envelope)| (key.clone(), Some(Arc::clone(envelope))))).collect();
    *known = now;
    batch
}
