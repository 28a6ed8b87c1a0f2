//! An API as the API shows it.

use std::collections::BTreeSet;

use domain::{
    entity::{Api, Content, DeploymentState, EntityPath},
    name::{EnvironmentName, GatewayName},
};
use gitops::DocumentError;
use serde::Serialize;
use uuid::Uuid;

use super::body::AuthenticationBody;
use crate::desired::Desired;

#[derive(Debug, Serialize)]
pub(super) struct ApiView {
    id: String,
    uid: Uuid,
    tenant_id: String,
    name: String,
    display_name: String,
    version: String,
    description: String,
    category: String,
    tags: BTreeSet<String>,
    backend_url: String,
    authentication: AuthenticationBody,
    rate_limit: Option<RateLimitView>,
    tools: bool,
    /// Where Git wants it to run.
    deployments: Vec<DeploymentView>,
    /// What is wrong with its newest files, which therefore are not in effect.
    problems: Vec<DocumentError>,
    /// What still refers to it, although its files are gone.
    orphaned_by: Vec<String>,
}

/// Values may hold variables, so they are texts.
#[derive(Debug, Serialize)]
struct RateLimitView {
    requests_per_minute: String,
    burst: Option<String>,
}

#[derive(Debug, Serialize)]
struct DeploymentView {
    environment: EnvironmentName,
    state: DeploymentState,
    /// `head`, or the commit that is pinned.
    content: String,
    gateways: BTreeSet<GatewayName>,
}

impl ApiView {
    pub(super) fn of(state: &Desired, api: &Api) -> Self {
        let path = EntityPath::Api { tenant: api.tenant.clone(), api: api.name.clone() };
        let rate_limit = api.policies.rate_limit.as_ref().map(|limit| RateLimitView {
            requests_per_minute: limit.requests_per_minute.to_string(),
            burst: limit.burst.as_ref().map(ToString::to_string),
        });
        let deployments = state.deployments_of(&api.tenant, &api.name).map(|it| DeploymentView {
            environment: it.environment.clone(),
            state: it.state,
            content: match &it.content {
                Content::FollowHead => "head".to_owned(),
                Content::Pin(commit) => commit.to_string(),
            },
            gateways: it.gateways.clone(),
        });
        let orphaned_by = state.get(&path).map(|it| it.orphaned_by.iter().map(ToString::to_string).collect());
        Self {
            id: api.name.to_string(),
            uid: api.uid,
            tenant_id: api.tenant.to_string(),
            name: api.name.to_string(),
            display_name: api.display_name.clone(),
            version: api.version.clone(),
            description: api.description.clone(),
            category: api.category.clone(),
            tags: api.tags.clone(),
            backend_url: api.backend.url.clone(),
            authentication: (&api.authentication).into(),
            rate_limit,
            tools: api.gateway.tools,
            deployments: deployments.collect(),
            problems: state.problems(&path).cloned().collect(),
            orphaned_by: orphaned_by.unwrap_or_default(),
        }
    }
}
