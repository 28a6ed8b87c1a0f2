//! Topic `tenant-events`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use domain::name::TenantName;

use crate::{event::event, parts::Change, topics};

/// A tenant changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TenantEvent {
    /// The tenant.
    pub tenant: TenantName,
    /// Immutable id.
    #[serde(with = "crate::field::uuid")]
    pub uid: Uuid,
    /// What happened.
    pub kind: TenantChange,
    /// Name for people.
    pub display_name: String,
    /// Who, where, when.
    pub change: Change,
}

/// What happened to a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantChange {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// Declared.
    Created,
    /// Changed.
    Updated,
    /// Deleted in Git.
    Retiring,
    /// Gone, with all that was made for it.
    Deleted,
    /// Its members changed.
    MembersChanged,
}

event!(
    TenantEvent,
    topics::TENANT_EVENTS,
    "tenant-events",
    1,
    key = |record| record.tenant.to_string(),
    subject = |record| format!("tenants/{}", record.tenant)
);
