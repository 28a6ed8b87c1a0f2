//! Topic `deployment-steps`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use domain::name::{ApiName, EnvironmentName, GatewayName, TenantName};

use crate::{event::event, topics};

/// What a deployment does, step by step, for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeploymentStep {
    /// The order.
    #[serde(with = "crate::field::uuid")]
    pub order_id: Uuid,
    /// The request or commit that it belongs to.
    #[serde(with = "crate::field::uuid")]
    pub group: Uuid,
    /// The tenant.
    pub tenant: TenantName,
    /// The API.
    pub api: ApiName,
    /// The environment.
    pub environment: EnvironmentName,
    /// The gateway.
    pub gateway: GatewayName,
    /// Rises with the records of an order, with gaps.
    pub sequence: i64,
    /// The step.
    pub step: String,
    /// What happened.
    pub phase: StepPhase,
    /// Attempt of the step, from 1.
    pub attempt: i32,
    /// For people.
    pub message: Option<String>,
    /// Id of the trace that follows the order.
    pub trace: String,
    /// When.
    #[serde(with = "crate::field::millis")]
    pub at: Timestamp,
}

/// What happened to a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepPhase {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// Begun.
    Started,
    /// Done.
    Finished,
    /// An attempt failed.
    Failed,
    /// A line worth keeping.
    Log,
}

event!(
    DeploymentStep,
    topics::DEPLOYMENT_STEPS,
    "deployment-steps",
    2,
    key = |record| record.tenant.to_string(),
    subject = |record| record.order_id.to_string()
);
