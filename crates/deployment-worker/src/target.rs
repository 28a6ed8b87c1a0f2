//! The seam behind which products of gateways differ.

use std::time::Duration;

use domain::Failure;
use event_bus::Outgoing;
use events::{DeployOrder, DeploymentState, Envelope};
use openapi::Dialect;
use saga::{Attempt, Decision, StepError};

/// What a product can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// The dialects that it reads.
    pub(crate) dialects: &'static [Dialect],
}

/// How long one attempt at each part may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    pub(crate) write: Duration,
    pub(crate) acknowledge: Duration,
    pub(crate) verify: Duration,
}

/// A product of gateways. Every part may be repeated, also while a former attempt still acts.
pub(crate) trait Target: Send + Sync {
    /// What it can take.
    fn capabilities(&self) -> Capabilities;

    /// How long one attempt at each part may take.
    fn patience(&self) -> Patience;

    /// Brings the content of an order; the records are written when this ends well.
    fn apply(
        &self,
        order: &Envelope<DeployOrder>,
        attempt: &Attempt,
    ) -> impl Future<Output = Result<Vec<Outgoing>, StepError>> + Send;

    /// What is to be kept of what stands there until the order has ended; written together with what `apply` gives.
    fn set_aside(
        &self,
        order: &Envelope<DeployOrder>,
    ) -> impl Future<Output = Result<Vec<Outgoing>, StepError>> + Send;

    /// What ends together with an order: what was set aside goes, and comes back if the gateway refused.
    fn ended(
        &self,
        order: &DeployOrder,
        decision: &Decision,
    ) -> impl Future<Output = Result<Vec<Outgoing>, Failure>> + Send;

    /// Takes an API off; the records are written when this ends well.
    fn remove(
        &self,
        order: &Envelope<DeployOrder>,
        attempt: &Attempt,
    ) -> impl Future<Output = Result<Vec<Outgoing>, StepError>> + Send;

    /// Waits until the gateway says that it does what was ordered.
    fn acknowledged(
        &self,
        order: &DeployOrder,
        attempt: &Attempt,
    ) -> impl Future<Output = Result<(), StepError>> + Send;

    /// Sees for itself, as a caller would.
    fn verify(
        &self,
        order: &DeployOrder,
        attempt: &Attempt,
    ) -> impl Future<Output = Result<(), StepError>> + Send;

    /// Whether what an order made is no longer so, as far as can be told.
    fn drifted(&self, state: &DeploymentState) -> bool;
}
