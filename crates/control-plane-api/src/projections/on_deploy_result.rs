//! `deploy-results`: how an order ended.

use domain::Failure;
use event_bus::{Delivery, Handle};
use events::{DeployResult, Envelope, Outcome};
use serde_json::json;

use super::Projection;
use crate::{
    metrics::Deployment,
    store::{OrderEnd, TraceEntry},
};

/// Folds results into deployments, traces and streams.
#[derive(Debug)]
pub(crate) struct OnDeployResult(pub(crate) Projection);

impl Handle<DeployResult> for OnDeployResult {
    async fn handle(&self, envelope: &Envelope<DeployResult>, delivery: &Delivery) -> Result<(), Failure> {
        let result = &envelope.event;
        self.0.after_its_step(result.order_id).await?;
        let store = &self.0.store;
        let mut tx = store.begin().await?;
        if !self.0.source(delivery).pass(&mut tx).await? {
            return Ok(());
        }
        let end = OrderEnd {
            order_id: result.order_id,
            status: status(result.outcome),
            reason: result.reason.as_deref(),
            message: result.message.as_deref(),
            finished_at: result.finished_at,
        };
        // False for a repeat, and for an order of a store that was lost: the result is still shown.
        let news = store.end_deployment(&mut tx, &end).await?;
        let failed = !matches!(result.outcome, Outcome::Succeeded | Outcome::Superseded);
        let entry = TraceEntry {
            ce_id: envelope.id.to_string(),
            name: format!("deployed {}/{} on {}", result.api, result.environment, result.gateway),
            status: if failed { "failed" } else { "success" }.to_owned(),
            detail: result.message.clone().or_else(|| result.reason.clone()),
            at: result.finished_at,
        };
        store.add_trace_entry(&mut tx, &result.trace, &entry).await?;
        if news {
            store.end_of_trace_order(&mut tx, &result.trace, failed, result.finished_at).await?;
        }
        let data = json!({
            "deployment": result.group,
            "order": result.order_id,
            "api": result.api,
            "environment": result.environment,
            "gateway": result.gateway,
            "status": status(result.outcome),
            "reason": result.reason,
            "message": result.message,
            "commit": result.commit,
            "trace": result.trace,
        });
        let tenant = result.tenant.as_str();
        store
            .append_stream(
                &mut tx,
                tenant,
                &envelope.id.to_string(),
                "deployment-finished",
                &data.to_string(),
                result.finished_at,
            )
            .await?;
        tx.commit().await.map_err(crate::store::Error::from)?;
        if news {
            let status = status(result.outcome);
            self.0.metrics.deployments.get_or_create(&Deployment { status }).inc();
        }
        self.0.wake.notify(tenant);
        Ok(())
    }
}

/// The outcome as the REST API names it.
fn status(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Superseded => "superseded",
        Outcome::Cancelled => "cancelled",
        Outcome::Expired => "expired",
        Outcome::Failed | Outcome::Unknown => "failed",
    }
}
