//! Topic `gateway-routes`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use domain::{
    id::{CommitId, Digest, Generation},
    name::{ApiName, EnvironmentName, TenantName},
};

use crate::{
    event::event,
    parts::{Authentication, Document, Policies, Upstream},
    topics,
};

/// What the built-in gateway serves for one API in one environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatewayRoute {
    /// The tenant.
    pub tenant: TenantName,
    /// The API.
    pub api: ApiName,
    /// The environment.
    pub environment: EnvironmentName,
    /// A greater one replaces a lesser one.
    pub generation: Generation,
    /// The order that wrote it.
    #[serde(with = "crate::field::uuid")]
    pub order_id: Uuid,
    /// The commit that the content comes from.
    pub commit: CommitId,
    /// Digest of the content.
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
    /// The OpenAPI document.
    pub document: Document,
    /// The backend.
    pub upstream: Upstream,
    /// How callers prove who they are.
    pub authentication: Authentication,
    /// OAuth scopes that a call needs.
    pub scopes: Vec<String>,
    /// Limits.
    pub policies: Policies,
}

event!(
    GatewayRoute,
    topics::GATEWAY_ROUTES,
    "gateway-routes",
    1,
    key = |record| format!("{}/{}/{}", record.tenant, record.api, record.environment),
    subject = |record| format!("tenants/{}/apis/{}/routes/{}", record.tenant, record.api, record.environment)
);
