//! Topic `catalog-apis`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use domain::{
    id::{CommitId, Revision},
    name::{ApiName, TenantName},
};

use crate::{
    event::event,
    parts::{Authentication, Document},
    topics,
};

/// Desired state of an API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogApi {
    /// The tenant.
    pub tenant: TenantName,
    /// The name inside the tenant.
    pub api: ApiName,
    /// Immutable id.
    #[serde(with = "crate::field::uuid")]
    pub uid: Uuid,
    /// Name for people.
    pub display_name: String,
    /// Version that the tenant gives it.
    pub version: String,
    /// Text for people.
    pub description: String,
    /// Base address of the backend.
    pub backend_url: String,
    /// How callers prove who they are.
    pub authentication: Authentication,
    /// OAuth scopes that a call needs.
    pub scopes: Vec<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The OpenAPI document.
    pub document: Option<Document>,
    /// The revision that this state derives from.
    pub revision: Revision,
    /// The commit that this state derives from.
    pub commit: CommitId,
}

event!(
    CatalogApi,
    topics::CATALOG_APIS,
    "catalog-apis",
    1,
    key = |record| format!("{}/{}", record.tenant, record.api),
    subject = |record| format!("tenants/{}/apis/{}", record.tenant, record.api)
);
