//! An application: a consumer of APIs, with an OAuth client and subscriptions.

use std::{collections::BTreeSet, fmt};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    entity::Contact,
    name::{ApiName, ApplicationName, EnvironmentName, PlanName, TenantName},
    variable::Templated,
};

/// A consumer of APIs.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// The tenant that owns it.
    pub tenant: TenantName,
    /// The name inside the tenant.
    pub name: ApplicationName,
    /// The immutable id.
    pub uid: Uuid,
    /// The name for people.
    pub display_name: String,
    /// What it is, for people.
    pub description: String,
    /// Whom to ask.
    pub owner: Contact,
    /// The OAuth grants that its client may use.
    pub grant_types: BTreeSet<String>,
    /// Where sign-ins may return to.
    pub redirect_uris: Vec<String>,
    /// The scopes that its tokens may carry.
    pub scopes: BTreeSet<String>,
    /// Limits of its own, beside those of the APIs.
    pub limits: Limits,
    /// The APIs that it uses.
    pub subscriptions: Vec<Subscription>,
}

/// How much an application may call; nothing means no limit of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is its own name")]
pub struct Limits {
    pub requests_per_minute: Option<Templated<u32>>,
    pub requests_per_day: Option<Templated<u32>>,
}

/// An API that an application uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The tenant of the API.
    pub tenant: TenantName,
    /// The API.
    pub api: ApiName,
    /// The plan chosen.
    pub plan: Option<PlanName>,
    /// Where it may be called.
    pub environments: BTreeSet<EnvironmentName>,
    /// Whether it may be used.
    pub state: SubscriptionState,
    /// Who agreed, and when.
    pub approved_by: Option<String>,
    /// When somebody agreed.
    pub approved_at: Option<Timestamp>,
}

/// Whether a subscription may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each variant is its own name")]
pub enum SubscriptionState {
    Pending,
    Approved,
    Rejected,
    Suspended,
}

impl SubscriptionState {
    /// The state's name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Suspended => "suspended",
        }
    }
}

impl fmt::Display for SubscriptionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
