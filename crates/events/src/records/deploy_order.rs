//! Topic `deploy-orders`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use domain::{
    id::{CommitId, Digest, Generation},
    name::{ApiName, EnvironmentName, GatewayName, TenantName},
};

use crate::{
    event::event,
    parts::{Authentication, Document, GatewayTarget, OrderKind, Policies, Upstream, Variable},
    topics,
};

/// Bring one API to one gateway of one environment, or take it off; everything needed stands inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeployOrder {
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
    /// Orders of one API, environment and gateway follow each other by it.
    pub generation: Generation,
    /// The commit on the relayed line.
    pub commit: CommitId,
    /// The commit that the content comes from.
    pub content_commit: CommitId,
    /// SHA-256 over all content that decides what the gateway does.
    pub digest: Digest,
    /// Immutable id of the API.
    #[serde(with = "crate::field::uuid")]
    pub uid: Uuid,
    /// Version of the API.
    pub version: String,
    /// Name for people.
    pub display_name: String,
    /// Text for people.
    pub description: String,
    /// The OpenAPI document; absent when removing.
    pub document: Option<Document>,
    /// The backend; absent when removing.
    pub upstream: Option<Upstream>,
    /// How callers prove who they are.
    pub authentication: Authentication,
    /// OAuth scopes that a call needs.
    pub scopes: Vec<String>,
    /// Limits.
    pub policies: Policies,
    /// Variables in effect, with their files.
    pub variables: Vec<Variable>,
    /// The gateway.
    pub target: GatewayTarget,
    /// The order to cancel.
    #[serde(with = "crate::field::uuid::option")]
    pub cancels: Option<Uuid>,
    /// Who caused it.
    pub actor: String,
    /// Id of the trace that follows it.
    pub trace: String,
    /// When it was written.
    #[serde(with = "crate::field::millis")]
    pub ordered_at: Timestamp,
    /// After this nothing is begun any more.
    #[serde(with = "crate::field::millis")]
    pub deadline: Timestamp,
}

event!(
    DeployOrder,
    topics::DEPLOY_ORDERS,
    "deploy-orders",
    2,
    key = |record| format!("{}/{}", record.tenant, record.api),
    subject = |record| format!(
        "tenants/{}/apis/{}/deployments/{}/{}",
        record.tenant, record.api, record.environment, record.gateway
    )
);
