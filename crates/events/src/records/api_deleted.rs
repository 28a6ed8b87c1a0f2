//! Topic `api-deleted`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use domain::name::{ApiName, TenantName};

use crate::{event::event, parts::Change, topics};

/// An API was removed from Git.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiDeleted {
    /// The tenant.
    pub tenant: TenantName,
    /// The name inside the tenant.
    pub api: ApiName,
    /// Immutable id.
    #[serde(with = "crate::field::uuid")]
    pub uid: Uuid,
    /// Version that the tenant gives it.
    pub version: String,
    /// Who, where, when.
    pub change: Change,
}

event!(
    ApiDeleted,
    topics::API_DELETED,
    "api-deleted",
    1,
    key = |record| record.tenant.to_string(),
    subject = |record| format!("tenants/{}/apis/{}", record.tenant, record.api)
);
