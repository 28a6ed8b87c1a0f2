//! Topic `api-created`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use domain::name::{ApiName, TenantName};

use crate::{event::event, parts::Change, topics};

/// An API was declared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiCreated {
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
    /// Who, where, when.
    pub change: Change,
}

event!(
    ApiCreated,
    topics::API_CREATED,
    "api-created",
    1,
    key = |record| record.tenant.to_string(),
    subject = |record| format!("tenants/{}/apis/{}", record.tenant, record.api)
);
