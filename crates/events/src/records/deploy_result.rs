//! Topic `deploy-results`.

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

/// How an order ended; exactly one record an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeployResult {
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
    /// What was ordered.
    pub kind: OrderKind,
    /// The generation of the order.
    pub generation: Generation,
    /// The commit on the relayed line.
    pub commit: CommitId,
    /// The commit that the content comes from.
    pub content_commit: CommitId,
    /// Digest of the content.
    pub digest: Digest,
    /// How it ended.
    pub outcome: Outcome,
    /// Why: a stable word.
    pub reason: Option<String>,
    /// Why, for people.
    pub message: Option<String>,
    /// Who caused it.
    pub actor: String,
    /// Id of the trace that follows the order.
    pub trace: String,
    /// When the worker took it in.
    #[serde(with = "crate::field::millis")]
    pub accepted_at: Timestamp,
    /// When it ended.
    #[serde(with = "crate::field::millis")]
    pub finished_at: Timestamp,
}

event!(
    DeployResult,
    topics::DEPLOY_RESULTS,
    "deploy-results",
    2,
    key = |record| record.tenant.to_string(),
    subject = |record| record.order_id.to_string()
);
