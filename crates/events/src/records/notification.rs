//! Topic `notifications`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use domain::name::TenantName;

use crate::{event::event, topics};

/// Something that a person should know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// The tenant.
    pub tenant: TenantName,
    /// How urgent.
    pub severity: Severity,
    /// A stable word, such as `invalid-document`.
    pub kind: String,
    /// One line.
    pub title: String,
    /// The whole text.
    pub body: String,
    /// What it is about.
    pub entity: String,
    /// When.
    #[serde(with = "crate::field::millis")]
    pub at: Timestamp,
}

/// How urgent a notification is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// Good to know.
    Info,
    /// Somebody should look.
    Warning,
    /// Somebody must look now.
    Critical,
}

event!(
    Notification,
    topics::NOTIFICATIONS,
    "notifications",
    1,
    key = |record| record.tenant.to_string(),
    subject = |record| record.entity.clone()
);
