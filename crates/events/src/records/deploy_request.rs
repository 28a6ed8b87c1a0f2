//! Topic `deploy-requests`.

use serde::{Deserialize, Serialize};

use crate::{event::event, topics};

/// Somebody asks for a deployment. Names are free text here: a wrong one is refused with a reason, not lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeployRequest {
    /// Id that the requester chose; a repeat has the same and no second effect.
    pub request_id: String,
    /// The tenant.
    pub tenant: String,
    /// The API.
    pub api: String,
    /// The environment.
    pub environment: String,
    /// What to do.
    pub operation: DeployOperation,
    /// Gateways; empty means all of the environment.
    pub gateways: Vec<String>,
    /// The commit whose content to deploy; absent means the head.
    pub pin: Option<String>,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// What a request wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeployOperation {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// Deploy the API.
    Deploy,
    /// Take the API off its gateways.
    Undeploy,
    /// Deploy the content of an earlier commit.
    Rollback,
    /// Bring what is declared to its gateways once more.
    Sync,
}

event!(
    DeployRequest,
    topics::DEPLOY_REQUESTS,
    "deploy-requests",
    2,
    key = |record| record.tenant.clone(),
    subject = |record| format!("tenants/{}/apis/{}", record.tenant, record.api)
);
