//! What an entity refers to.

use domain::entity::{DeploymentState, Entity, EntityPath, SubscriptionState};

use crate::layout::Slot;

/// What must be in effect for `entity` to be.
pub(super) fn references(entity: &Entity) -> Vec<Slot> {
    let mut found = Vec::new();
    let mut to = |path: EntityPath| found.push(Slot::Entity(path));
    match entity {
        Entity::Defaults(_)
        | Entity::Environment(_)
        | Entity::Plan(_)
        | Entity::Tenant(_)
        // A request is a record of the past; it does not keep what it was about.
        | Entity::PromotionRequest(_) => {}
        Entity::Gateway(it) => to(EntityPath::Environment { environment: it.environment.clone() }),
        Entity::Users(it) => to(EntityPath::Tenant { tenant: it.tenant.clone() }),
        Entity::TenantVariables(it) => {
            to(EntityPath::Tenant { tenant: it.tenant.clone() });
            to(EntityPath::Environment { environment: it.environment.clone() });
        }
        Entity::Api(it) => {
            to(EntityPath::Tenant { tenant: it.tenant.clone() });
            found.push(Slot::OpenApi { tenant: it.tenant.clone(), api: it.name.clone() });
        }
        Entity::Deployment(it) => {
            to(EntityPath::Tenant { tenant: it.tenant.clone() });
            // What should be absent needs nothing to be there, except the gateways to take it from.
            if it.state == DeploymentState::Deployed {
                to(EntityPath::Api { tenant: it.tenant.clone(), api: it.api.clone() });
            }
            to(EntityPath::Environment { environment: it.environment.clone() });
            for gateway in &it.gateways {
                to(EntityPath::Gateway { environment: it.environment.clone(), gateway: gateway.clone() });
            }
        }
        Entity::Application(it) => {
            to(EntityPath::Tenant { tenant: it.tenant.clone() });
            for subscription in it.subscriptions.iter().filter(|it| it.state != SubscriptionState::Rejected) {
                let (tenant, api) = (subscription.tenant.clone(), subscription.api.clone());
                to(EntityPath::Api { tenant, api });
                if let Some(plan) = &subscription.plan {
                    to(EntityPath::Plan { plan: plan.clone() });
                }
                for environment in &subscription.environments {
                    to(EntityPath::Environment { environment: environment.clone() });
                }
            }
        }
    }
    found
}

/// How a reference is named to a person.
pub(super) fn name(slot: &Slot) -> String {
    match slot {
        Slot::Entity(path) => format!("{} `{path}`", path.kind()),
        Slot::OpenApi { tenant, api } => format!("OpenAPI document of `tenants/{tenant}/apis/{api}`"),
    }
}
