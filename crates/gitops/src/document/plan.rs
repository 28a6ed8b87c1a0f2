//! `kind: Plan`.

use std::collections::BTreeSet;

use domain::entity::{Entity, EntityPath, Kind, Plan};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{
    envelope::{self, Context, Metadata, Read},
    users::RoleName,
    value::is_default,
};

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlanForm {
    /// Name for people.
    #[serde(default)]
    display_name: Option<String>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "is_default")]
    description: String,
    /// Calls in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requests_per_second: Option<u32>,
    /// Calls in a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requests_per_minute: Option<u32>,
    /// Calls in a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requests_per_day: Option<u64>,
    /// Calls in a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requests_per_month: Option<u64>,
    /// Calls at once above the rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    burst: Option<u32>,
    /// Whether somebody must approve a subscription.
    #[serde(default)]
    requires_approval: bool,
    /// Whose subscriptions need no approval.
    #[serde(default, skip_serializing_if = "is_default")]
    auto_approve_roles: BTreeSet<RoleName>,
}

pub(super) fn schema() -> Schema {
    envelope::schema::<PlanForm>(Kind::Plan)
}

pub(super) fn read(context: &Context<'_>) -> Read {
    let EntityPath::Plan { plan: name } = context.path else { unreachable!("the path says the kind") };
    let envelope = context.envelope::<PlanForm>()?;
    let spec = envelope.spec;
    let plan = Plan {
        name: name.clone(),
        display_name: spec
            .display_name
            .or(envelope.metadata.display_name)
            .unwrap_or_else(|| name.to_string()),
        description: spec.description,
        requests_per_second: spec.requests_per_second,
        requests_per_minute: spec.requests_per_minute,
        requests_per_day: spec.requests_per_day,
        requests_per_month: spec.requests_per_month,
        burst: spec.burst,
        requires_approval: spec.requires_approval,
        auto_approve_roles: spec.auto_approve_roles.iter().map(|role| role.0).collect(),
    };
    Ok((Entity::Plan(plan), Vec::new()))
}

pub(super) fn write(plan: &Plan) -> String {
    let metadata = Metadata { name: Some(plan.name.to_string()), ..Metadata::default() };
    let spec = PlanForm {
        display_name: Some(plan.display_name.clone()),
        description: plan.description.clone(),
        requests_per_second: plan.requests_per_second,
        requests_per_minute: plan.requests_per_minute,
        requests_per_day: plan.requests_per_day,
        requests_per_month: plan.requests_per_month,
        burst: plan.burst,
        requires_approval: plan.requires_approval,
        auto_approve_roles: plan.auto_approve_roles.iter().copied().map(RoleName).collect(),
    };
    envelope::write(Kind::Plan, metadata, spec)
}
