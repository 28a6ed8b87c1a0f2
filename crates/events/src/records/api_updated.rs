//! Topic `api-updated`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use domain::name::{ApiName, TenantName};

use crate::{event::event, parts::Change, topics};

/// An API was changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiUpdated {
    /// The tenant.
    pub tenant: TenantName,
    /// The name inside the tenant.
    pub api: ApiName,
    /// Immutable id.
    #[serde(with = "crate::field::uuid")]
    pub uid: Uuid,
    /// Version that the tenant gives it.
    pub version: String,
    /// Name for people.
    pub display_name: String,
    /// What changed: fields of the declaration, or `document`.
    pub changed: Vec<String>,
    /// Who, where, when.
    pub change: Change,
}

event!(
    ApiUpdated,
    topics::API_UPDATED,
    "api-updated",
    1,
    key = |record| record.tenant.to_string(),
    subject = |record| format!("tenants/{}/apis/{}", record.tenant, record.api)
);
