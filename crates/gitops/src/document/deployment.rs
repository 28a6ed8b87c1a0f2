//! `kind: Deployment`.

use std::collections::BTreeSet;

use domain::{
    entity::{Content, Deployment, DeploymentState, Entity, EntityPath, Kind},
    id::CommitId,
    name::GatewayName,
};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::envelope::{self, Context, Metadata, Read};

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeploymentForm {
    /// `head`: whatever the repository holds of the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    follow: Option<Follow>,
    /// What this commit holds of the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<CommitId>,
    /// The gateways of the environment that serve it.
    gateways: BTreeSet<GatewayName>,
    /// Whether it should be there.
    #[serde(default = "deployed")]
    state: DeploymentState,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Follow {
    Head,
}

fn deployed() -> DeploymentState {
    DeploymentState::Deployed
}

pub(super) fn schema() -> Schema {
    envelope::schema::<DeploymentForm>(Kind::Deployment)
}

pub(super) fn read(context: &Context<'_>) -> Read {
    let EntityPath::Deployment { tenant, api, environment } = context.path else {
        unreachable!("the path says the kind")
    };
    let form = context.envelope::<DeploymentForm>()?.spec;
    let runs = match (form.follow, form.pin) {
        (Some(Follow::Head), None) => Content::FollowHead,
        (None, Some(commit)) => Content::Pin(commit),
        (Some(_), Some(_)) => {
            return Err(context
                .source
                .at("spec.pin", "a deployment follows the head or is pinned, not both"));
        }
        (None, None) => {
            return Err(context.source.at("spec", "either `follow: head` or `pin: <commit>` is needed"));
        }
    };
    if form.gateways.is_empty() {
        return Err(context.source.at("spec.gateways", "at least one gateway is needed"));
    }
    let deployment = Deployment {
        tenant: tenant.clone(),
        api: api.clone(),
        environment: environment.clone(),
        content: runs,
        gateways: form.gateways,
        state: form.state,
    };
    Ok((Entity::Deployment(deployment), Vec::new()))
}

pub(super) fn write(deployment: &Deployment) -> String {
    let metadata = Metadata {
        tenant: Some(deployment.tenant.to_string()),
        api: Some(deployment.api.to_string()),
        environment: Some(deployment.environment.to_string()),
        ..Metadata::default()
    };
    let (follow, pin) = match &deployment.content {
        Content::FollowHead => (Some(Follow::Head), None),
        Content::Pin(commit) => (None, Some(commit.clone())),
    };
    let spec = DeploymentForm { follow, pin, gateways: deployment.gateways.clone(), state: deployment.state };
    envelope::write(Kind::Deployment, metadata, spec)
}
