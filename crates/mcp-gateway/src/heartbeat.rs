//! Says in `gateway-instances` that this replica serves, every two seconds.

use std::{convert::Infallible, time::Duration};

use domain::id::derived_id;
use event_bus::Bus;
use events::{GatewayInstance, InstanceState};
use runtime::{Readiness, Stopping, chain};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::warn;

use crate::gateway::Identity;

const EVERY: Duration = Duration::from_secs(2);

/// How long the last word may take, when the broker is away.
const FAREWELL: Duration = Duration::from_secs(1);

/// Beats from the moment when the replica is ready: before that, nobody need wait for what it acknowledges.
pub(crate) async fn beat(
    bus: Bus,
    identity: Identity,
    readiness: Readiness,
    stopping: Stopping,
) -> Result<(), Infallible> {
    if stopping.unless_requested(readiness.ready()).await.is_none() {
        return Ok(());
    }
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stopping.unless_requested(ticks.tick()).await.is_some() {
        say(&bus, &identity, InstanceState::Present).await;
    }
    // Nobody waits for a replica that said that it leaves.
    let _ = timeout(FAREWELL, say(&bus, &identity, InstanceState::Leaving)).await;
    Ok(())
}

async fn say(bus: &Bus, identity: &Identity, state: InstanceState) {
    let at = bus.clock().now();
    let event = GatewayInstance {
        replica: identity.replica.clone(),
        environment: identity.environment.clone(),
        state,
        started_at: identity.started_at,
        at,
    };
    let id = derived_id(&[&identity.replica, &at.to_string(), &format!("{state:?}"), "gateway-instances"]);
    if let Err(error) = bus.producer().publish(&bus.envelope(id, event)).await {
        warn!(cause = %chain(&error), "Could not send the heartbeat");
    }
}
