//! "Sync now": what is declared is brought to its gateways once more. No desired state, so no commit.

use std::collections::BTreeSet;

use domain::{
    entity::{Deployment, DeploymentState, Entity},
    id::CommitId,
    name::{ApiName, EnvironmentName, GatewayName, TenantName},
};
use events::NudgeReason;

use super::{Commands, Done, Origin, Refusal, deployment::present};
use crate::store::{self, DeploymentRow, Store, WantedSync};

impl Commands {
    /// Wants a deployment brought to these of its gateways once more, to all if none is named; with the commit at
    /// which that was decided.
    ///
    /// Whoever asks puts it into the store together with the answer, and then nudges.
    pub(crate) fn sync(
        &self,
        origin: &Origin,
        tenant: &TenantName,
        api: &ApiName,
        environment: &EnvironmentName,
        gateways: BTreeSet<GatewayName>,
    ) -> Result<(WantedSync, CommitId), Refusal> {
        // The relay syncs at the commit that it relayed last, so that one counts, not the head of the branch.
        let state = self.0.desired.load();
        let commit = state.commit().filter(|_| state.tenant(tenant).is_some());
        let commit = commit.ok_or_else(|| Refusal::TenantNotFound(tenant.clone()))?;
        if state.api(tenant, api).is_none() {
            return Err(Refusal::ApiNotFound { tenant: tenant.clone(), api: api.clone() });
        }
        let deployment = present(&state, tenant, api, environment)?;
        if deployment.state == DeploymentState::Absent {
            return Err(Refusal::Absent { api: api.clone(), environment: environment.clone() });
        }
        if let Some(gateway) = gateways.difference(&deployment.gateways).next() {
            let (environment, gateway) = (environment.clone(), gateway.clone());
            return Err(Refusal::NotOnGateway { api: api.clone(), environment, gateway });
        }
        Ok((self.wanted(origin, deployment, gateways), commit.clone()))
    }

    /// What deploying amounts to when the repository wants the same already: a sync of the gateways at which the
    /// newest order came to nothing, if there are any.
    pub(crate) async fn again(
        &self,
        origin: &Origin,
        done: &Done,
        store: &Store,
    ) -> Result<Option<WantedSync>, store::Error> {
        let Some(Entity::Deployment(declared)) = done.entity() else { return Ok(None) };
        if done.changed || declared.state == DeploymentState::Absent {
            return Ok(None);
        }
        let Deployment { tenant, api, environment, .. } = declared;
        let newest = store.newest_orders(tenant, api, environment).await?;
        let gateways = failed(declared, &newest);
        Ok((!gateways.is_empty()).then(|| self.wanted(origin, declared, gateways)))
    }

    /// Tells the relay that something stands in the outbox. If that fails, its timer finds it.
    pub(crate) fn nudge_for(&self, sync: &WantedSync) {
        self.nudge(NudgeReason::Request, None, &sync.request);
    }

    fn wanted(&self, origin: &Origin, of: &Deployment, gateways: BTreeSet<GatewayName>) -> WantedSync {
        WantedSync {
            request: origin.request.clone(),
            tenant: of.tenant.clone(),
            api: of.api.clone(),
            environment: of.environment.clone(),
            gateways,
            actor: origin.actor.name.clone(),
            at: self.0.clock.now(),
        }
    }
}

/// The gateways of a deployment at which the newest order ended without its effect.
fn failed(declared: &Deployment, newest: &[DeploymentRow]) -> BTreeSet<GatewayName> {
    let ended = |order: &&DeploymentRow| matches!(order.status.as_str(), "failed" | "expired" | "cancelled");
    let gateways = newest.iter().filter(ended).filter_map(|order| order.gateway.parse().ok());
    gateways.filter(|gateway| declared.gateways.contains(gateway)).collect()
}
