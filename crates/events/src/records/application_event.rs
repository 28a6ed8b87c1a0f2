//! Topic `application-events`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use domain::name::{ApplicationName, TenantName};

use crate::{event::event, parts::Change, topics};

/// An application changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplicationEvent {
    /// The tenant.
    pub tenant: TenantName,
    /// The name inside the tenant.
    pub application: ApplicationName,
    /// Immutable id.
    #[serde(with = "crate::field::uuid")]
    pub uid: Uuid,
    /// What happened.
    pub kind: ApplicationChange,
    /// Name for people.
    pub display_name: String,
    /// Who, where, when.
    pub change: Change,
}

/// What happened to an application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationChange {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// Declared.
    Created,
    /// Changed.
    Updated,
    /// Removed from Git.
    Deleted,
}

event!(
    ApplicationEvent,
    topics::APPLICATION_EVENTS,
    "application-events",
    1,
    key = |record| record.tenant.to_string(),
    subject = |record| format!("tenants/{}/applications/{}", record.tenant, record.application)
);
