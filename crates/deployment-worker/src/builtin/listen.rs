//! Takes in what the replicas say, from as far back as the topics reach.

use std::sync::Arc;

use domain::Failure;
use event_bus::{Delivery, Handle};
use events::{Envelope, GatewayAck, GatewayInstance};

use super::fleet::Fleet;

/// Hears heartbeats.
pub(crate) struct OnInstance(pub(crate) Arc<Fleet>);

impl Handle<GatewayInstance> for OnInstance {
    async fn handle(&self, envelope: &Envelope<GatewayInstance>, _: &Delivery) -> Result<(), Failure> {
        self.0.beat(&envelope.event);
        Ok(())
    }

    async fn caught_up(&self) {
        self.0.instances_are_read();
    }
}

/// Hears acknowledgements.
pub(crate) struct OnAck(pub(crate) Arc<Fleet>);

impl Handle<GatewayAck> for OnAck {
    async fn handle(&self, envelope: &Envelope<GatewayAck>, _: &Delivery) -> Result<(), Failure> {
        self.0.said(&envelope.event);
        Ok(())
    }

    async fn caught_up(&self) {
        self.0.acks_are_read();
    }
}
