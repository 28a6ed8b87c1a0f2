//! What runs where: an API in an environment.

use std::{collections::BTreeSet, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::CommitId,
    name::{ApiName, EnvironmentName, GatewayName, TenantName},
};

/// An API in an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The tenant that owns the API.
    pub tenant: TenantName,
    /// The API.
    pub api: ApiName,
    /// The environment.
    pub environment: EnvironmentName,
    /// Which content of the API runs.
    pub content: Content,
    /// The gateways of the environment that serve it.
    pub gateways: BTreeSet<GatewayName>,
    /// Whether it should be there at all.
    pub state: DeploymentState,
}

/// Which content of an API runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// What the repository holds now.
    FollowHead,
    /// What the repository held at a commit; a rollback pins an earlier one.
    Pin(CommitId),
}

/// Whether an API should be on the gateways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeploymentState {
    /// It should be served.
    Deployed,
    /// It should be gone.
    Absent,
}

impl fmt::Display for DeploymentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deployed => "deployed",
            Self::Absent => "absent",
        })
    }
}
