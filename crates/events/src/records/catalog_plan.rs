//! Topic `catalog-plans`.

use serde::{Deserialize, Serialize};

use domain::{
    id::{CommitId, Revision},
    name::PlanName,
};

use crate::{event::event, parts::Policies, topics};

/// A plan that subscriptions choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogPlan {
    /// The name.
    pub plan: PlanName,
    /// Name for people.
    pub display_name: String,
    /// Text for people.
    pub description: String,
    /// Limits.
    pub policies: Policies,
    /// Whether a person must approve a subscription.
    pub requires_approval: bool,
    /// The revision that this state derives from.
    pub revision: Revision,
    /// The commit that this state derives from.
    pub commit: CommitId,
}

event!(
    CatalogPlan,
    topics::CATALOG_PLANS,
    "catalog-plans",
    1,
    key = |record| record.plan.to_string(),
    subject = |record| format!("plans/{}", record.plan)
);
