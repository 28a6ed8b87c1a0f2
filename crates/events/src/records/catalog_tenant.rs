//! Topic `catalog-tenants`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use domain::{
    id::{CommitId, Revision},
    name::{EnvironmentName, TenantName},
};

use crate::{event::event, topics};

/// Desired state of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogTenant {
    /// The name.
    pub tenant: TenantName,
    /// Immutable id.
    #[serde(with = "crate::field::uuid")]
    pub uid: Uuid,
    /// Name for people.
    pub display_name: String,
    /// Text for people.
    pub description: String,
    /// Whom to ask.
    pub contact_email: Option<String>,
    /// Environments that the tenant may deploy to.
    pub environments: Vec<EnvironmentName>,
    /// Where it stands.
    pub lifecycle: TenantLifecycle,
    /// The revision that this state derives from.
    pub revision: Revision,
    /// The commit that this state derives from.
    pub commit: CommitId,
}

/// Where a tenant stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantLifecycle {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// Declared in Git.
    Active,
    /// Deleted in Git; what was made for it is being taken away.
    Retiring,
}

event!(
    CatalogTenant,
    topics::CATALOG_TENANTS,
    "catalog-tenants",
    1,
    key = |record| record.tenant.to_string(),
    subject = |record| format!("tenants/{}", record.tenant)
);
