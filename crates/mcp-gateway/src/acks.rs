//! Tells `gateway-acks` what became of each generation.

use std::{convert::Infallible, sync::Arc};

use domain::id::derived_id;
use event_bus::Bus;
use events::{Event as _, GatewayAck};
use runtime::{Backoff, Random, Stopping, SystemRandom, chain};
use tokio::{sync::mpsc::UnboundedReceiver, time::sleep};
use tracing::warn;

/// Publishes acknowledgements in their order, each until it is written, until the stop.
pub(crate) async fn publish(
    bus: Bus,
    mut acks: UnboundedReceiver<GatewayAck>,
    started: String,
    stopping: Stopping,
) -> Result<(), Infallible> {
    let (backoff, random): (_, Arc<dyn Random>) = (Backoff::default(), Arc::new(SystemRandom::default()));
    let producer = bus.producer();
    while let Some(Some(ack)) = stopping.unless_requested(acks.recv()).await {
        let generation = ack.generation.to_string();
        let outcome = format!("{:?}", ack.outcome);
        let id = derived_id(&[&ack.replica, &started, &ack.key(), &generation, &outcome, "gateway-acks"]);
        let envelope = bus.envelope(id, ack);
        let mut attempt = 1;
        while let Err(error) = producer.publish(&envelope).await {
            warn!(cause = %chain(&error), attempt, "Could not acknowledge a route yet");
            if stopping.unless_requested(sleep(backoff.delay(attempt, random.as_ref()))).await.is_none() {
                return Ok(());
            }
            attempt = attempt.saturating_add(1);
        }
    }
    stopping.requested().await;
    Ok(())
}
