//! What other services report, folded into the store: one file per topic.

mod on_deploy_result;
mod on_deployment_step;

use domain::{Classify, Disposition, Failure, id::Epoch};
use uuid::Uuid;

pub(crate) use self::{on_deploy_result::OnDeployResult, on_deployment_step::OnDeploymentStep};
use crate::{
    metrics::Metrics,
    store::{Source, Store},
    wake::Wake,
};

/// What every projection needs.
#[derive(Clone, Debug)]
pub(crate) struct Projection {
    pub(crate) store: Store,
    pub(crate) epoch: Epoch,
    pub(crate) wake: Wake,
    pub(crate) metrics: Metrics,
}

/// An order whose step the relay has not closed.
#[derive(Debug, thiserror::Error)]
#[error("the step that wrote order `{0}` is not closed yet")]
struct NotClosed(Uuid);

impl Classify for NotClosed {
    fn disposition(&self) -> Disposition {
        Disposition::Retry
    }
}

impl Projection {
    /// Waits, by failing, for the step that wrote an order: only its close says what the order is about, and a quick
    /// worker is done before that.
    async fn after_its_step(&self, order_id: Uuid) -> Result<(), Failure> {
        // In this order: an order that is known to nobody when no step is open never will be.
        let open = self.store.open_step().await?.is_some();
        if open && !self.store.has_deployment(order_id).await? {
            return Err(NotClosed(order_id).into());
        }
        Ok(())
    }

    /// Where the record in hand stands.
    fn source<'a>(&self, delivery: &'a event_bus::Delivery) -> Source<'a> {
        Source {
            epoch: self.epoch,
            topic: delivery.topic(),
            partition: delivery.partition(),
            offset: delivery.offset(),
        }
    }
}
