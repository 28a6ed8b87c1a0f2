//! `deploy-requests`: somebody asks for an API to be deployed, taken away, rolled back, or brought to its gateways
//! once more.

use std::collections::BTreeSet;

use domain::{
    Failure,
    entity::{Content, Operation},
    id::CommitId,
    name::{ApiName, EnvironmentName, GatewayName, NameError, TenantName},
};
use event_bus::{Delivery, Handle};
use events::{DeployOperation, DeployRequest, Envelope};

use super::{
    arrival::Arrival,
    door::{Accepted, Door, NotDone, not_done},
    refused::Refused,
};
use crate::{
    commands::{Deploy, Origin, Refusal},
    deployments::earlier_content,
    group::group_of,
    store::DeploymentFilter,
};

/// How far back a rollback looks for content that ran.
const LOOK_BACK: i64 = 200;

/// Takes requests in.
#[derive(Clone, Debug)]
pub(crate) struct OnDeployRequest(pub(crate) Door);

impl Handle<DeployRequest> for OnDeployRequest {
    async fn handle(&self, envelope: &Envelope<DeployRequest>, delivery: &Delivery) -> Result<(), Failure> {
        let request = &envelope.event;
        let arrival = Arrival::of::<DeployRequest>(delivery, &request.tenant, &request.request_id);
        self.take(&arrival, request).await
    }
}

impl OnDeployRequest {
    pub(super) async fn take(&self, arrival: &Arrival, request: &DeployRequest) -> Result<(), Failure> {
        let operation = operation(request.operation);
        self.0.take(arrival, operation, async |tenant, origin| self.act(tenant, origin, request).await).await
    }

    async fn act(
        &self,
        tenant: &TenantName,
        origin: Origin,
        request: &DeployRequest,
    ) -> Result<Accepted, NotDone> {
        let api: ApiName = request.api.parse()?;
        let environment: EnvironmentName = request.environment.parse()?;
        let commands = &self.0.commands;
        let (owner, of, at) = (tenant.clone(), api.clone(), environment.clone());
        let done = match request.operation {
            DeployOperation::Sync => {
                let (sync, commit) =
                    commands.sync(&origin, tenant, &api, &environment, gateways(request)?)?;
                let group = Some(group_of(&origin.request, tenant, &api, &environment));
                return Ok(Accepted { commit, group, sync: Some(sync) });
            }
            DeployOperation::Deploy => {
                let wanted = Deploy {
                    tenant: owner,
                    api: of,
                    environment: at,
                    gateways: gateways(request)?.into(),
                    content: pin(request)?.map_or(Content::FollowHead, Content::Pin),
                };
                commands.deploy(&origin, wanted).await
            }
            DeployOperation::Undeploy => commands.undeploy(&origin, owner, of, at).await,
            DeployOperation::Rollback => {
                let to = match pin(request)? {
                    Some(to) => to,
                    None => self.content_before(tenant, &api, &environment).await?,
                };
                commands.rollback(&origin, owner, of, at, to).await
            }
            DeployOperation::Unknown => return Err(Refused::UnknownOperation.into()),
        };
        let done = done.map_err(not_done)?;
        self.0.accepted(&origin, done, tenant, &api, &environment).await
    }

    /// What ran before what runs now.
    async fn content_before(
        &self,
        tenant: &TenantName,
        api: &ApiName,
        environment: &EnvironmentName,
    ) -> Result<CommitId, NotDone> {
        let filter = DeploymentFilter { api: Some(api.as_str()), environment: Some(environment.as_str()) };
        let groups = self.0.store.deployment_groups(tenant, &filter, None, LOOK_BACK).await;
        let groups = groups.map_err(|error| NotDone::Later(error.into()))?;
        earlier_content(&groups, None).ok_or_else(|| {
            Refusal::NothingEarlier { api: api.clone(), environment: environment.clone() }.into()
        })
    }
}

fn operation(wanted: DeployOperation) -> Option<Operation> {
    match wanted {
        DeployOperation::Deploy => Some(Operation::Deploy),
        DeployOperation::Undeploy => Some(Operation::Undeploy),
        DeployOperation::Rollback => Some(Operation::Rollback),
        DeployOperation::Sync => Some(Operation::Sync),
        DeployOperation::Unknown => None,
    }
}

fn gateways(request: &DeployRequest) -> Result<BTreeSet<GatewayName>, NameError> {
    request.gateways.iter().map(|name| name.parse()).collect()
}

fn pin(request: &DeployRequest) -> Result<Option<CommitId>, Refused> {
    let parse = |text: &String| text.parse().map_err(|_| Refused::Pin(text.clone()));
    request.pin.as_ref().map(parse).transpose()
}
