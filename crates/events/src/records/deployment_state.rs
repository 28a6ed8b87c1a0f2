//! Topic `deployment-state`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use domain::{
    id::{CommitId, Digest, Generation},
    name::{ApiName, EnvironmentName, GatewayName, TenantName},
};

use crate::{
    event::event,
    parts::{OrderKind, Outcome},
    topics,
};

/// The memory of the deployment saga about one order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeploymentState {
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
    /// What to do.
    pub kind: OrderKind,
    /// The generation of the order.
    pub generation: Generation,
    /// Digest of the content.
    pub digest: Digest,
    /// Where the order stands in its partition of `deploy-orders`.
    pub order_offset: i64,
    /// Where it stands.
    pub phase: DeploymentPhase,
    /// The step of `intent` and `done`.
    pub step: Option<String>,
    /// Attempts of the step, from 1.
    pub attempt: i32,
    /// Until when an intent may act.
    #[serde(with = "crate::field::millis::option")]
    pub step_deadline: Option<Timestamp>,
    /// Parked: it keeps failing and waits for a person.
    pub needs_attention: bool,
    /// How it ended, when decided.
    pub outcome: Option<Outcome>,
    /// Why it ended so: a stable word.
    pub reason: Option<String>,
    /// Why it ended so, for people.
    pub message: Option<String>,
    /// Deadline of the order.
    #[serde(with = "crate::field::millis")]
    pub deadline: Timestamp,
    /// When this was written.
    #[serde(with = "crate::field::millis")]
    pub at: Timestamp,
    /// The commit on the relayed line; absent in records of older versions.
    pub commit: Option<CommitId>,
    /// The commit that the content comes from; absent in records of older versions.
    pub content_commit: Option<CommitId>,
    /// Who caused the order; absent in records of older versions.
    pub actor: Option<String>,
    /// Id of the trace that follows the order; absent in records of older versions.
    pub trace: Option<String>,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentPhase {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// Taken in.
    Accepted,
    /// A step is being done, until its deadline.
    Intent,
    /// A step is done.
    Done,
    /// It has ended.
    Decided,
}

event!(
    DeploymentState,
    topics::DEPLOYMENT_STATE,
    "deployment-state",
    2,
    key = |record| record.order_id.to_string(),
    subject = |record| record.order_id.to_string()
);
