//! `gitops-nudges`: somebody says "look at Git". Whoever holds the one partition is the relay.

use std::sync::Arc;

use domain::Failure;
use event_bus::{Delivery, Handle};
use events::{Envelope, GitopsNudge};

use super::Relay;

/// Lets the relay look.
#[derive(Debug)]
pub(crate) struct OnNudge(pub(crate) Arc<Relay>);

impl Handle<GitopsNudge> for OnNudge {
    async fn handle(&self, envelope: &Envelope<GitopsNudge>, _: &Delivery) -> Result<(), Failure> {
        let nudge = &envelope.event;
        // One look answers every nudge before it: a commit that is relayed already needs no other look.
        if nudge.commit.as_ref().is_some_and(|commit| self.0.has_relayed(commit)) {
            return Ok(());
        }
        self.0.look().await?;
        Ok(())
    }
}
