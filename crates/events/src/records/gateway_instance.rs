//! Topic `gateway-instances`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use domain::name::EnvironmentName;

use crate::{event::event, topics};

/// Heartbeat of a replica of the built-in gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatewayInstance {
    /// The replica.
    pub replica: String,
    /// The environment that it serves.
    pub environment: EnvironmentName,
    /// Whether it serves.
    pub state: InstanceState,
    /// When it started.
    #[serde(with = "crate::field::millis")]
    pub started_at: Timestamp,
    /// When it sent this.
    #[serde(with = "crate::field::millis")]
    pub at: Timestamp,
}

/// Whether a replica serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceState {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// It serves.
    Present,
    /// It is going away.
    Leaving,
}

event!(
    GatewayInstance,
    topics::GATEWAY_INSTANCES,
    "gateway-instances",
    1,
    key = |record| record.replica.clone(),
    subject = |record| record.replica.clone()
);
