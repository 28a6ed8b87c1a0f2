//! `deployment-steps`: what a deployment does, step by step.

use domain::Failure;
use event_bus::{Delivery, Handle};
use events::{DeploymentStep, Envelope, StepPhase};
use serde_json::json;

use super::Projection;
use crate::store::{StepRow, TraceEntry};

/// Folds steps into the log of a deployment, its trace and the stream.
#[derive(Debug)]
pub(crate) struct OnDeploymentStep(pub(crate) Projection);

impl Handle<DeploymentStep> for OnDeploymentStep {
    async fn handle(&self, envelope: &Envelope<DeploymentStep>, delivery: &Delivery) -> Result<(), Failure> {
        let step = &envelope.event;
        self.0.after_its_step(step.order_id).await?;
        let store = &self.0.store;
        let mut tx = store.begin().await?;
        if !self.0.source(delivery).pass(&mut tx).await? {
            return Ok(());
        }
        let row = StepRow {
            order_id: step.order_id.to_string(),
            sequence: step.sequence,
            step: step.step.clone(),
            phase: phase(step.phase).to_owned(),
            attempt: i64::from(step.attempt),
            message: step.message.clone(),
            at: step.at,
        };
        store.begin_deployment(&mut tx, step.order_id).await?;
        store.add_step(&mut tx, &row).await?;
        if matches!(step.phase, StepPhase::Finished | StepPhase::Failed) {
            let entry = TraceEntry {
                ce_id: envelope.id.to_string(),
                name: format!("{} {}/{} on {}", step.step, step.api, step.environment, step.gateway),
                status: if step.phase == StepPhase::Failed { "failed" } else { "success" }.to_owned(),
                detail: step.message.clone(),
                at: step.at,
            };
            store.add_trace_entry(&mut tx, &step.trace, &entry).await?;
        }
        let data = json!({
            "deployment": step.group,
            "order": step.order_id,
            "api": step.api,
            "environment": step.environment,
            "gateway": step.gateway,
            "step": step.step,
            "phase": phase(step.phase),
            "attempt": step.attempt,
            "message": step.message,
        });
        let tenant = step.tenant.as_str();
        store
            .append_stream(
                &mut tx,
                tenant,
                &envelope.id.to_string(),
                "deployment-step",
                &data.to_string(),
                step.at,
            )
            .await?;
        tx.commit().await.map_err(crate::store::Error::from)?;
        self.0.wake.notify(tenant);
        Ok(())
    }
}

/// The phase as the REST API names it.
fn phase(phase: StepPhase) -> &'static str {
    match phase {
        StepPhase::Started => "started",
        StepPhase::Finished => "finished",
        StepPhase::Failed => "failed",
        StepPhase::Log | StepPhase::Unknown => "log",
    }
}
