//! Topic `catalog-applications`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use domain::{
    id::{CommitId, Revision},
    name::{ApiName, ApplicationName, EnvironmentName, PlanName, TenantName},
};

use crate::{event::event, topics};

/// Desired state of an application, a consumer of APIs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogApplication {
    /// The tenant.
    pub tenant: TenantName,
    /// The name inside the tenant.
    pub application: ApplicationName,
    /// Immutable id.
    #[serde(with = "crate::field::uuid")]
    pub uid: Uuid,
    /// Name for people.
    pub display_name: String,
    /// Text for people.
    pub description: String,
    /// Whom to ask.
    pub owner_email: Option<String>,
    /// Where the identity provider may send a browser back to.
    pub redirect_uris: Vec<String>,
    /// APIs that it may call.
    pub subscriptions: Vec<Subscription>,
    /// The revision that this state derives from.
    pub revision: Revision,
    /// The commit that this state derives from.
    pub commit: CommitId,
}

/// An API that an application may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// The tenant of the API.
    pub tenant: TenantName,
    /// The API.
    pub api: ApiName,
    /// The plan that limits it.
    pub plan: Option<PlanName>,
    /// Where.
    pub environments: Vec<EnvironmentName>,
}

event!(
    CatalogApplication,
    topics::CATALOG_APPLICATIONS,
    "catalog-applications",
    1,
    key = |record| format!("{}/{}", record.tenant, record.application),
    subject = |record| format!("tenants/{}/applications/{}", record.tenant, record.application)
);
