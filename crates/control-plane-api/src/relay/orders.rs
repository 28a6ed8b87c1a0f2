//! Orders: what each gateway is to do, compared with what it was told last.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    entity::Gateway,
    id::{CommitId, Digest, Generation, derived_id},
    name::{ApiName, EnvironmentName, GatewayName, TenantName},
};
use events::{Authentication, DeployOrder, GatewayKind, GatewayTarget, OrderKind, Policies};
use jiff::Timestamp;
use uuid::Uuid;

use super::{catalog::gateway_kind, content::Content};
use crate::store::Ordered;

/// One API on one gateway of one environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) tenant: TenantName,
    pub(crate) api: ApiName,
    pub(crate) environment: EnvironmentName,
    pub(crate) gateway: GatewayName,
}

impl Spot {
    /// The spot that an order was about.
    pub(crate) fn of(ordered: &Ordered) -> Self {
        Self {
            tenant: ordered.tenant.clone(),
            api: ordered.api.clone(),
            environment: ordered.environment.clone(),
            gateway: ordered.gateway.clone(),
        }
    }

    /// The path of the deployment, the same for every gateway.
    pub(crate) fn deployment(&self) -> String {
        format!("{}/{}/{}", self.tenant, self.api, self.environment)
    }
}

/// What a gateway is to serve at a spot.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) content: Content,
    pub(crate) content_commit: CommitId,
    pub(crate) uid: Uuid,
    pub(crate) version: String,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) target: GatewayTarget,
}

impl Wanted {
    /// Over the content and the gateway: a gateway that moved is deployed to again.
    pub(crate) fn digest(&self) -> Digest {
        super::catalog::digest(&(&self.content.digest, &self.target.kind, &self.target.address))
    }
}

/// The gateway as an order names it.
pub(crate) fn target(gateway: &Gateway) -> GatewayTarget {
    GatewayTarget { kind: gateway_kind(&gateway.kind), address: gateway.address.clone() }
}

/// Why an order is written.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    /// The request or commit that the orders belong to.
    pub(crate) group: Uuid,
    pub(crate) actor: String,
    pub(crate) trace: String,
}

/// What all orders of a step have in common.
#[derive(Clone, Debug)]
pub(crate) struct Issue<'a> {
    pub(crate) repository: &'a str,
    pub(crate) generation: Generation,
    pub(crate) commit: &'a CommitId,
    pub(crate) now: Timestamp,
    pub(crate) deadline: Timestamp,
}

/// What an order does to a spot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    Apply,
    Remove,
}

/// The moves that turn what was ordered into what is wanted; removals come first.
///
/// A spot of `kept` is left as it is: what it should be could not be told, so nothing is taken away.
pub(crate) fn moves(
    wanted: &BTreeMap<Spot, Digest>,
    ordered: &BTreeMap<Spot, Ordered>,
    kept: &BTreeSet<Spot>,
) -> Vec<(Spot, Move)> {
    let live = |spot: &Spot| ordered.get(spot).filter(|order| order.kind == APPLY);
    let gone = ordered
        .keys()
        .filter(|spot| live(spot).is_some() && !wanted.contains_key(spot) && !kept.contains(spot))
        .map(|spot| (spot.clone(), Move::Remove));
    let come = wanted
        .iter()
        .filter(|(spot, digest)| live(spot).is_none_or(|order| order.digest != **digest))
        .map(|(spot, _)| (spot.clone(), Move::Apply));
    gone.chain(come).collect()
}

/// The kind of an order that brings content, in the store.
pub(crate) const APPLY: &str = "apply";
/// The kind of an order that takes an API away, in the store.
pub(crate) const REMOVE: &str = "remove";

impl Issue<'_> {
    fn order_id(&self, spot: &Spot) -> Uuid {
        let place = format!("{}/{}", spot.deployment(), spot.gateway);
        let (epoch, revision) = (self.generation.epoch.to_string(), self.generation.revision.to_string());
        derived_id(&[self.repository, &epoch, &revision, &place, "deploy-orders"])
    }

    /// The order that brings `wanted` to a gateway, as `kind` (apply or reassert).
    pub(crate) fn apply(&self, spot: &Spot, wanted: &Wanted, cause: &Cause, kind: OrderKind) -> DeployOrder {
        let content = wanted.content.clone();
        DeployOrder {
            kind,
            content_commit: wanted.content_commit.clone(),
            digest: wanted.digest(),
            uid: wanted.uid,
            version: wanted.version.clone(),
            display_name: wanted.display_name.clone(),
            description: wanted.description.clone(),
            document: Some(content.document),
            upstream: Some(content.upstream),
            authentication: content.authentication,
            scopes: content.scopes,
            policies: content.policies,
            variables: content.variables,
            target: wanted.target.clone(),
            ..self.blank(spot, cause)
        }
    }

    /// The order that takes an API off a gateway.
    pub(crate) fn remove(&self, spot: &Spot, last: &Ordered, cause: &Cause) -> DeployOrder {
        DeployOrder {
            digest: last.digest.clone(),
            target: read_target(&last.target),
            ..self.blank(spot, cause)
        }
    }

    /// An order without content.
    fn blank(&self, spot: &Spot, cause: &Cause) -> DeployOrder {
        DeployOrder {
            order_id: self.order_id(spot),
            group: cause.group,
            tenant: spot.tenant.clone(),
            api: spot.api.clone(),
            environment: spot.environment.clone(),
            gateway: spot.gateway.clone(),
            kind: OrderKind::Remove,
            generation: self.generation,
            commit: self.commit.clone(),
            content_commit: self.commit.clone(),
            digest: Digest::of(b""),
            uid: Uuid::nil(),
            version: String::new(),
            display_name: String::new(),
            description: String::new(),
            document: None,
            upstream: None,
            authentication: Authentication::Oauth2,
            scopes: Vec::new(),
            policies: Policies { requests_per_minute: None, burst: None },
            variables: Vec::new(),
            target: GatewayTarget { kind: GatewayKind::Unknown, address: String::new() },
            cancels: None,
            actor: cause.actor.clone(),
            trace: cause.trace.clone(),
            ordered_at: self.now,
            deadline: self.deadline,
        }
    }
}

/// What the store remembers of an order.
pub(crate) fn remember(order: &DeployOrder) -> Ordered {
    Ordered {
        tenant: order.tenant.clone(),
        api: order.api.clone(),
        environment: order.environment.clone(),
        gateway: order.gateway.clone(),
        order_id: order.order_id,
        kind: if order.kind == OrderKind::Remove { REMOVE } else { APPLY }.to_owned(),
        digest: order.digest.clone(),
        generation: order.generation,
        target: serde_json::to_string(&order.target).unwrap_or_default(),
    }
}

fn read_target(text: &str) -> GatewayTarget {
    serde_json::from_str(text).unwrap_or(GatewayTarget { kind: GatewayKind::Unknown, address: String::new() })
}

#[cfg(test)]
mod tests {
    use domain::id::{Epoch, Revision};

    use super::*;

    fn spot(api: &str) -> Spot {
        Spot {
            tenant: "acme".parse().unwrap(),
            api: api.parse().unwrap(),
            environment: "dev".parse().unwrap(),
            gateway: "edge".parse().unwrap(),
        }
    }

    fn ordered(api: &str, kind: &str, content: &[u8]) -> (Spot, Ordered) {
        let spot = spot(api);
        let order = Ordered {
            tenant: spot.tenant.clone(),
            api: spot.api.clone(),
            environment: spot.environment.clone(),
            gateway: spot.gateway.clone(),
            order_id: Uuid::nil(),
            kind: kind.to_owned(),
            digest: Digest::of(content),
            generation: Generation { epoch: Epoch(1), revision: Revision(1) },
            target: String::new(),
        };
        (spot, order)
    }

    #[test]
    fn what_is_not_wanted_goes_and_what_differs_comes() {
        let wanted: BTreeMap<_, _> = [("same", b"1"), ("changed", b"2"), ("new", b"1"), ("back", b"1")]
            .map(|(api, content)| (spot(api), Digest::of(content)))
            .into();
        let ordered: BTreeMap<_, _> = [
            ordered("same", APPLY, b"1"),
            ordered("changed", APPLY, b"1"),
            ordered("back", REMOVE, b"1"),
            ordered("gone", APPLY, b"1"),
            ordered("gone-before", REMOVE, b"1"),
            ordered("unclear", APPLY, b"1"),
        ]
        .into();
        let kept = BTreeSet::from([spot("unclear")]);
        let expected = [
            (spot("gone"), Move::Remove),
            (spot("back"), Move::Apply),
            (spot("changed"), Move::Apply),
            (spot("new"), Move::Apply),
        ];
        assert_eq!(moves(&wanted, &ordered, &kept), expected);
    }

    #[test]
    fn an_order_has_the_same_id_whenever_its_step_is_repeated() {
        let commit = "ab".repeat(20).parse().unwrap();
        let issue = |revision| Issue {
            repository: "stoa-gitops",
            generation: Generation { epoch: Epoch(1), revision: Revision(revision) },
            commit: &commit,
            now: Timestamp::UNIX_EPOCH,
            deadline: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(issue(7).order_id(&spot("pets")), issue(7).order_id(&spot("pets")));
        assert_ne!(issue(7).order_id(&spot("pets")), issue(8).order_id(&spot("pets")));
        assert_ne!(issue(7).order_id(&spot("pets")), issue(7).order_id(&spot("cats")));
    }
}
