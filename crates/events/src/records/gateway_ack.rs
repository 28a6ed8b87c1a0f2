//! Topic `gateway-acks`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use domain::{
    id::Generation,
    name::{ApiName, EnvironmentName, TenantName},
};

use crate::{event::event, topics};

/// A replica of the built-in gateway says which generation of a route it serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatewayAck {
    /// The tenant.
    pub tenant: TenantName,
    /// The API.
    pub api: ApiName,
    /// The environment.
    pub environment: EnvironmentName,
    /// The replica.
    pub replica: String,
    /// The generation; of a removal, the one that was served before.
    pub generation: Generation,
    /// What it did.
    pub outcome: AckOutcome,
    /// Why it refused.
    pub message: Option<String>,
    /// When.
    #[serde(with = "crate::field::millis")]
    pub at: Timestamp,
}

/// What a replica did with a generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AckOutcome {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// It serves it.
    Applied,
    /// It keeps the former one, for the reason given.
    Refused,
    /// It serves the API no more.
    Removed,
}

event!(
    GatewayAck,
    topics::GATEWAY_ACKS,
    "gateway-acks",
    1,
    key = |record| format!("{}/{}/{}", record.tenant, record.api, record.environment),
    subject = |record| format!("tenants/{}/apis/{}/routes/{}", record.tenant, record.api, record.environment)
);
