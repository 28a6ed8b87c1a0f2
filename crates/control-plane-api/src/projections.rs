//! What other services report, folded into the store: one file per topic.

mod on_deploy_result;
mod on_deployment_step;

use domain::id::Epoch;

pub(crate) use self::{on_deploy_result::OnDeployResult, on_deployment_step::OnDeploymentStep};
use crate::{store::Source, store::Store, wake::Wake};

/// What every projection needs.
#[derive(Clone, Debug)]
pub(crate) struct Projection {
    pub(crate) store: Store,
    pub(crate) epoch: Epoch,
    pub(crate) wake: Wake,
}

impl Projection {
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
