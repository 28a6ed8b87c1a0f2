//! What to write to `gateway-routes`, given what stands there.

use domain::{
    id::Generation,
    name::{ApiName, EnvironmentName, TenantName},
};
use events::{DeployOrder, DeploymentState, GatewayRoute, OrderKind};

/// What to do about a route.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plan {
    /// A newer one stands there.
    Keep(Generation),
    /// Write this one.
    Put(Box<GatewayRoute>),
    /// Write the removal of this key.
    Remove(String),
}

/// The key of a route.
pub(super) fn key(tenant: &TenantName, api: &ApiName, environment: &EnvironmentName) -> String {
    format!("{tenant}/{api}/{environment}")
}

/// The key under which a route stands that an order wrote over, until the order has ended.
///
/// It has one part more than the key of a route, so gateways pass over it.
pub(super) fn former_key(key: &str) -> String {
    format!("{key}/former")
}

/// What has to be set aside when an order writes its route: what says something else, and is older.
pub(super) fn former<'a>(order: &DeployOrder, current: Option<&'a GatewayRoute>) -> Option<&'a GatewayRoute> {
    current.filter(|route| route.generation < order.generation && route.digest != order.digest)
}

/// What was set aside, to be served again instead of what `refused` brought.
///
/// It has the generation of the refused order: replicas that took that one take this one too, because equal
/// generations replace each other, and no later order meets a route of a higher generation than its own.
pub(super) fn restored(refused: &DeployOrder, former: &GatewayRoute) -> GatewayRoute {
    GatewayRoute { generation: refused.generation, ..former.clone() }
}

/// The route of an order; nothing when the order brings no content.
///
/// The same generation is written again: a repeat changes nothing, and the replicas answer it anew.
pub(super) fn apply(order: &DeployOrder, current: Option<&GatewayRoute>) -> Option<Plan> {
    if let Some(newer) = newer(order.generation, current) {
        return Some(Plan::Keep(newer));
    }
    Some(Plan::Put(Box::new(GatewayRoute {
        tenant: order.tenant.clone(),
        api: order.api.clone(),
        environment: order.environment.clone(),
        generation: order.generation,
        order_id: order.order_id,
        commit: order.content_commit.clone(),
        digest: order.digest.clone(),
        uid: order.uid,
        version: order.version.clone(),
        display_name: order.display_name.clone(),
        description: order.description.clone(),
        document: order.document.clone()?,
        upstream: order.upstream.clone()?,
        authentication: order.authentication,
        scopes: order.scopes.clone(),
        policies: order.policies.clone(),
    })))
}

/// The removal of the route of an order; written also when there is none, because the replicas answer it.
pub(super) fn remove(order: &DeployOrder, current: Option<&GatewayRoute>) -> Plan {
    match newer(order.generation, current) {
        Some(newer) => Plan::Keep(newer),
        None => Plan::Remove(key(&order.tenant, &order.api, &order.environment)),
    }
}

fn newer(generation: Generation, current: Option<&GatewayRoute>) -> Option<Generation> {
    current.map(|route| route.generation).filter(|current| *current > generation)
}

/// Whether the route is not what a succeeded order left, and not newer either.
pub(super) fn drifted(state: &DeploymentState, current: Option<&GatewayRoute>) -> bool {
    match (state.kind, current) {
        (OrderKind::Apply | OrderKind::Reassert | OrderKind::Sync, None) => true,
        (OrderKind::Apply | OrderKind::Reassert | OrderKind::Sync, Some(route)) => {
            route.generation < state.generation
                || (route.generation == state.generation && route.digest != state.digest)
        }
        (OrderKind::Remove, Some(route)) => route.generation <= state.generation,
        (OrderKind::Remove, None) | (OrderKind::Cancel | OrderKind::Unknown, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use domain::id::Digest;
    use saga::{Memory, Phase};

    use super::*;
    use crate::{memory, sample};

    fn route(revision: i64) -> GatewayRoute {
        let order = DeployOrder { generation: sample::generation(revision), ..sample::order() };
        match apply(&order, None) {
            Some(Plan::Put(route)) => *route,
            other => panic!("{other:?}"),
        }
    }

    fn state(order: &DeployOrder) -> DeploymentState {
        let memory = Memory {
            id: order.order_id,
            key: String::new(),
            generation: order.generation,
            offset: 0,
            deadline: order.deadline,
            cancels: false,
            phase: Phase::Accepted,
            needs_attention: false,
            problem: None,
            at: sample::NOW,
        };
        memory::write(order, &memory)
    }

    #[test]
    fn a_route_carries_the_generation_and_the_content_of_its_order() {
        let order = sample::order();
        let route = route(5);
        assert_eq!(key(&route.tenant, &route.api, &route.environment), "acme/pets/dev");
        assert_eq!(route.generation.to_string(), "1.5");
        assert_eq!((route.order_id, &route.commit), (order.order_id, &order.content_commit));
        assert_eq!(Some(&route.document), order.document.as_ref());
    }

    #[test]
    fn a_route_is_never_lowered() {
        let newer = route(6);
        assert_eq!(apply(&sample::order(), Some(&newer)), Some(Plan::Keep(newer.generation)));
        assert_eq!(remove(&sample::removal(5), Some(&newer)), Plan::Keep(newer.generation));
        let same = apply(&sample::order(), Some(&route(5)));
        assert_eq!(same, Some(Plan::Put(Box::new(route(5)))));
        assert_eq!(remove(&sample::removal(7), Some(&newer)), Plan::Remove("acme/pets/dev".to_owned()));
        assert_eq!(remove(&sample::removal(7), None), Plan::Remove("acme/pets/dev".to_owned()));
    }

    #[test]
    fn what_says_something_else_is_set_aside_and_comes_back_in_the_generation_that_was_refused() {
        let order = sample::order();
        let other = GatewayRoute { digest: Digest::of(b"other"), ..route(4) };
        assert_eq!(former(&order, Some(&other)), Some(&other));
        assert_eq!(former(&order, None), None);
        assert_eq!(former(&order, Some(&route(4))), None, "the same content is no way back");
        let again = GatewayRoute { generation: order.generation, ..other.clone() };
        assert_eq!(former(&order, Some(&again)), None, "a repeat sets nothing aside");
        assert_eq!(restored(&order, &other), again);
        assert_eq!(former_key("acme/pets/dev"), "acme/pets/dev/former");
    }

    #[test]
    fn only_what_is_missing_older_or_different_has_drifted() {
        let applied = state(&sample::order());
        assert!(drifted(&applied, None));
        assert!(drifted(&applied, Some(&route(4))));
        assert!(drifted(&applied, Some(&GatewayRoute { digest: Digest::of(b"forged"), ..route(5) })));
        assert!(!drifted(&applied, Some(&route(5))));
        assert!(!drifted(&applied, Some(&route(6))));
        let removed = state(&sample::removal(6));
        assert!(!drifted(&removed, None));
        assert!(drifted(&removed, Some(&route(5))));
        assert!(!drifted(&removed, Some(&route(7))));
    }
}
