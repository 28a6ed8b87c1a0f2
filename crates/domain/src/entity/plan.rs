//! A plan: the limits that a subscription chooses.

use std::collections::BTreeSet;

use crate::{name::PlanName, rbac::Role};

/// The limits that a subscription chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The name.
    pub name: PlanName,
    /// The name for people.
    pub display_name: String,
    /// What it is, for people.
    pub description: String,
    /// Calls a second.
    pub requests_per_second: Option<u32>,
    /// Calls a minute.
    pub requests_per_minute: Option<u32>,
    /// Calls a day.
    pub requests_per_day: Option<u64>,
    /// Calls a month.
    pub requests_per_month: Option<u64>,
    /// Calls beyond the rate that may come at once.
    pub burst: Option<u32>,
    /// Whether somebody has to agree to a subscription.
    pub requires_approval: bool,
    /// Whose subscriptions need nobody's agreement.
    pub auto_approve_roles: BTreeSet<Role>,
}
