//! What the outbox wants: deployments that are brought to their gateways once more, in steps of their own.
//!
//! Such a step stays at the commit that was relayed last. It takes its rows as it begins, so whoever finishes it
//! writes the same orders; the orders are really carried out, although the gateways were told the same before.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    entity::{Content, Deployment, DeploymentState, Entity, EntityPath},
    name::GatewayName,
};
use events::{AuditOutcome, AuditRecord, Event as _, OrderKind};
use gitops::Effective;

use super::{
    Relay, RelayError, State,
    compare::stay,
    ordering::path_of,
    publish::Publisher,
    report::{Provenance, Report},
    step::Work,
    wanted::{self, Deployments, Refused},
};
use crate::store::{Ordered, Step, StepKind, WantedSync};

impl Relay {
    /// Steps for everything that waits in the outbox.
    pub(super) async fn sync(&self, state: &mut State) -> Result<(), RelayError> {
        let Some(commit) = state.effective.commit().cloned() else { return Ok(()) };
        let parts = &self.parts;
        while parts.store.has_waiting_syncs().await? {
            let step = Step {
                revision: state.revision.next(),
                from: Some(commit.clone()),
                to: commit.clone(),
                kind: StepKind::Synced,
            };
            parts.store.begin_step(&step, &parts.holder, parts.clock.now()).await?;
            let followed = stay(state);
            self.finish(state, &step, followed).await?;
        }
        Ok(())
    }

    /// The orders that the rows of a step want.
    pub(super) async fn write_syncs(
        &self,
        work: &Work<'_>,
        to: &Effective,
        publisher: &mut Publisher<'_>,
        report: &mut Report<'_>,
    ) -> Result<Vec<Ordered>, RelayError> {
        let parts = &self.parts;
        let syncs = parts.store.taken_syncs(work.step.revision).await?;
        let syncs: BTreeMap<EntityPath, WantedSync> =
            syncs.into_iter().map(|sync| (path(&sync), sync)).collect();
        let (state, head, paths) = (to.clone(), work.step.to.clone(), syncs.keys().cloned().collect());
        let found =
            parts.repository.blocking(move |repository| wanted::of(&state, repository, &head, &paths));
        let Deployments { wanted, mut refused } = found.await?;
        let mut lost: BTreeSet<&EntityPath> = syncs.keys().collect();
        let mut written = Vec::new();
        for (spot, what) in &wanted {
            let path = path_of(spot);
            let Some(sync) = syncs.get(&path).filter(|sync| names(sync, &spot.gateway)) else { continue };
            lost.remove(&path);
            let provenance = provenance(work, sync);
            let cause = self.cause(work, &provenance, &path, &spot.tenant);
            let order = self.issue(work).apply(spot, what, &cause, OrderKind::Sync);
            written.push(self.write_order(order, &provenance, publisher, report).await?);
        }
        for refused in &refused {
            lost.retain(|path| **path != refused.path());
        }
        for path in lost {
            refused.push(self.gone(&syncs[path], to.get(path).map(|it| &*it.entity)).await?);
        }
        for mut refused in refused {
            let path = refused.path();
            let Some(sync) = syncs.get(&path) else { continue };
            if !sync.gateways.is_empty() {
                refused.deployment.gateways.clone_from(&sync.gateways);
            }
            let provenance = provenance(work, sync);
            report.refused(&refused, self.group(work, &provenance, &path), &provenance);
        }
        for (path, sync) in &syncs {
            let trace = report.trace(&sync.tenant, &provenance(work, sync));
            let id = self.id(work, &[&sync.request, &path.to_string(), "sync", "audit"]);
            let audit = parts.bus.envelope(id, self.audit_of(work, path, sync, trace));
            publisher.push(AuditRecord::TOPIC.name, parts.bus.prepare(&audit).await?).await?;
        }
        Ok(written)
    }

    /// The refusal of a sync of what is declared no more, or not on its gateways.
    async fn gone(&self, sync: &WantedSync, now: Option<&Entity>) -> Result<Refused, RelayError> {
        let gateways = if let Some(Entity::Deployment(declared)) = now {
            declared.gateways.clone()
        } else {
            let ordered = self.parts.store.ordered().await?;
            let own = |order: &Ordered| {
                (&order.tenant, &order.api, &order.environment)
                    == (&sync.tenant, &sync.api, &sync.environment)
            };
            ordered.into_iter().filter(own).map(|order| order.gateway).collect()
        };
        let deployment = Deployment {
            tenant: sync.tenant.clone(),
            api: sync.api.clone(),
            environment: sync.environment.clone(),
            content: Content::FollowHead,
            gateways,
            state: DeploymentState::Absent,
        };
        let message = "it is not declared to run there any more".to_owned();
        Ok(Refused { deployment, reason: "not-deployed", message })
    }

    fn audit_of(&self, work: &Work<'_>, path: &EntityPath, sync: &WantedSync, trace: String) -> AuditRecord {
        AuditRecord {
            tenant: sync.tenant.to_string(),
            actor: sync.actor.clone(),
            action: "deployment.sync".to_owned(),
            entity: path.to_string(),
            outcome: AuditOutcome::Success,
            reason: None,
            message: None,
            commit: Some(work.step.to.clone()),
            source: Some(self.parts.name.clone()),
            trace: Some(trace),
            at: work.now,
        }
    }
}

fn path(sync: &WantedSync) -> EntityPath {
    EntityPath::Deployment {
        tenant: sync.tenant.clone(),
        api: sync.api.clone(),
        environment: sync.environment.clone(),
    }
}

fn names(sync: &WantedSync, gateway: &GatewayName) -> bool {
    sync.gateways.is_empty() || sync.gateways.contains(gateway)
}

/// Where the orders of a sync come from.
fn provenance(work: &Work<'_>, sync: &WantedSync) -> Provenance {
    Provenance {
        commit: work.step.to.clone(),
        request: Some(sync.request.clone()),
        actor: sync.actor.clone(),
        subject: format!("Sync {}/{} to {}", sync.tenant, sync.api, sync.environment),
        at: sync.at,
    }
}
