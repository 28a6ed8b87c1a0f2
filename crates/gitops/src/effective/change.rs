//! What differs between two effective states, in an order in which it can be told.

use std::{cmp::Ordering, collections::BTreeSet, sync::Arc};

use domain::entity::{Deployment, Entity, EntityPath};

use super::{Declared, Effective, Entities};

/// What happened to an entity.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It is new.
    Created(Arc<Declared>),
    /// It says something else, or has become or ceased to be orphaned.
    Updated {
        /// What it said.
        before: Arc<Declared>,
        /// What it says.
        after: Arc<Declared>,
    },
    /// It is gone.
    Removed(Arc<Declared>),
}

/// What happened to which entity.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityChange {
    /// The entity.
    pub path: EntityPath,
    /// What happened.
    pub change: Change,
}

impl EntityChange {
    /// The entity as it was.
    #[must_use]
    pub fn before(&self) -> Option<&Arc<Declared>> {
        match &self.change {
            Change::Created(_) => None,
            Change::Updated { before, .. } | Change::Removed(before) => Some(before),
        }
    }

    /// The entity as it is.
    #[must_use]
    pub fn after(&self) -> Option<&Arc<Declared>> {
        match &self.change {
            Change::Removed(_) => None,
            Change::Updated { after, .. } | Change::Created(after) => Some(after),
        }
    }
}

/// What differs between two states: removals first, what refers before what it refers to; then what is new or
/// different, what is referred to before what refers.
///
/// A file that was only written differently is no change. An entity under the same path with another uid is
/// another entity: a removal and a creation.
#[must_use]
pub fn changes(from: &Effective, to: &Effective) -> Vec<EntityChange> {
    let (mut removed, mut put) = (Vec::new(), Vec::new());
    let (mut old, mut new) = (from.entities.iter().peekable(), to.entities.iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((old, _)), Some((new, _))) => old.cmp(new),
        };
        let was = if order.is_le() { old.next() } else { None };
        let is = if order.is_ge() { new.next() } else { None };
        match (was, is) {
            (Some((path, before)), None) => {
                removed.push(EntityChange {
                    path: EntityPath::clone(path),
                    change: Change::Removed(Arc::clone(before)),
                });
            }
            (None, Some((path, after))) => {
                put.push(EntityChange {
                    path: EntityPath::clone(path),
                    change: Change::Created(Arc::clone(after)),
                });
            }
            (Some((path, before)), Some((_, after))) if !Arc::ptr_eq(before, after) => {
                let (before, after) = (Arc::clone(before), Arc::clone(after));
                if before.entity.uid() != after.entity.uid() {
                    removed.push(EntityChange {
                        path: EntityPath::clone(path),
                        change: Change::Removed(before),
                    });
                    put.push(EntityChange { path: EntityPath::clone(path), change: Change::Created(after) });
                } else if !before.same_content(&after) {
                    let change = Change::Updated { before, after };
                    put.push(EntityChange { path: EntityPath::clone(path), change });
                }
            }
            _ => {}
        }
    }
    // Paths come in the order of dependence, parents first.
    removed.reverse();
    removed.extend(put);
    removed
}

/// The entities after `changes`.
#[must_use]
pub fn apply(changes: &[EntityChange], entities: &Entities) -> Entities {
    let mut entities = entities.clone();
    for change in changes {
        match change.after() {
            Some(after) => drop(entities.insert(Arc::new(change.path.clone()), Arc::clone(after))),
            None => drop(entities.remove(&change.path)),
        }
    }
    entities
}

/// The deployments whose content may differ because of `changes`: their own document, their API unless they are
/// pinned, variables of any level, a gateway. Among them are those that are gone.
#[must_use]
pub fn touched_deployments(changes: &[EntityChange], to: &Effective) -> BTreeSet<EntityPath> {
    let mut touched = BTreeSet::new();
    let mut causes: BTreeSet<&EntityPath> = BTreeSet::new();
    for change in changes {
        match &change.path {
            EntityPath::Deployment { .. } => drop(touched.insert(change.path.clone())),
            EntityPath::Users { .. }
            | EntityPath::Plan { .. }
            | EntityPath::Application { .. }
            | EntityPath::PromotionRequest { .. } => {}
            cause => drop(causes.insert(cause)),
        }
    }
    if causes.is_empty() {
        return touched;
    }
    for (path, declared) in to.of_kind(domain::entity::Kind::Deployment) {
        if let Entity::Deployment(deployment) = &*declared.entity
            && depends_on_any(deployment, &causes)
        {
            touched.insert(path.clone());
        }
    }
    touched
}

fn depends_on_any(deployment: &Deployment, causes: &BTreeSet<&EntityPath>) -> bool {
    let Deployment { tenant, api, environment, .. } = deployment;
    let follows = deployment.content == domain::entity::Content::FollowHead;
    let gateway = |gateway: &domain::name::GatewayName| {
        causes.contains(&EntityPath::Gateway { environment: environment.clone(), gateway: gateway.clone() })
    };
    causes.contains(&EntityPath::Defaults)
        || causes.contains(&EntityPath::Environment { environment: environment.clone() })
        || causes.contains(&EntityPath::Tenant { tenant: tenant.clone() })
        || causes.contains(&EntityPath::TenantVariables {
            tenant: tenant.clone(),
            environment: environment.clone(),
        })
        || follows && causes.contains(&EntityPath::Api { tenant: tenant.clone(), api: api.clone() })
        || deployment.gateways.iter().any(gateway)
}
