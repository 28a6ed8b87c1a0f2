//! What a new entity must keep beside the others.

use std::{collections::HashMap, sync::Arc};

use domain::{
    entity::{Content, DeploymentState, Entity, EntityPath},
    id::CommitId,
    name::TenantName,
};
use uuid::Uuid;

use super::{Objects, OpenApiCheck, Span, parse::MAX_OPENAPI_BYTES};
use crate::repository::{self, PinError};

/// A broken rule: the field, and what is wrong with it.
pub(super) struct Broken {
    pub(super) field: Option<&'static str>,
    pub(super) message: String,
}

/// Who holds what nobody else may hold.
#[derive(Default)]
pub(super) struct Unique {
    uids: HashMap<Uuid, EntityPath>,
    emails: HashMap<String, TenantName>,
}

impl Unique {
    /// Notes what `entity` holds.
    pub(super) fn hold(&mut self, entity: &Entity) {
        if let Some(uid) = entity.uid() {
            self.uids.insert(uid, entity.path());
        }
        if let Entity::Users(users) = entity {
            for user in &users.users {
                self.emails.insert(user.email.clone(), users.tenant.clone());
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.uids.is_empty() && self.emails.is_empty()
    }

    /// Whether `entity` holds any of the same.
    pub(super) fn touches(&self, entity: &Entity) -> bool {
        let email = |users: &domain::entity::Users| {
            !self.emails.is_empty() && users.users.iter().any(|user| self.emails.contains_key(&user.email))
        };
        entity.uid().is_some_and(|uid| self.uids.contains_key(&uid))
            || matches!(entity, Entity::Users(users) if email(users))
    }

    /// Whether somebody else holds what `entity` would hold.
    pub(super) fn check(&self, entity: &Entity) -> Option<Broken> {
        let path = entity.path();
        if let Some((uid, holder)) = entity.uid().and_then(|uid| Some((uid, self.uids.get(&uid)?)))
            && *holder != path
        {
            let message = format!("uid `{uid}` belongs to `{holder}`");
            return Some(Broken { field: Some("metadata.uid"), message });
        }
        let Entity::Users(users) = entity else { return None };
        let taken = users.users.iter().find_map(|user| {
            let holder = self.emails.get(&user.email)?;
            (*holder != users.tenant).then(|| format!("e-mail `{}` belongs to tenant `{holder}`", user.email))
        });
        taken.map(|message| Broken { field: Some("spec.users"), message })
    }
}

/// An id never changes; what comes under the same path after a removal is something else.
pub(super) fn check_identity(former: &Entity, new: &Entity, span: Span) -> Option<Broken> {
    match (former.uid(), new.uid(), span) {
        (Some(old), Some(new), Span::Commit) if old != new => Some(Broken {
            field: Some("metadata.uid"),
            message: format!("the uid is `{old}` and cannot become `{new}`; remove the entity first"),
        }),
        _ => None,
    }
}

/// A deployment goes only where its tenant may.
pub(super) fn check_target(
    entity: &Entity,
    lookup: &dyn Fn(&EntityPath) -> Option<Arc<Entity>>,
) -> Option<Broken> {
    let Entity::Deployment(deployment) = entity else { return None };
    let tenant = lookup(&EntityPath::Tenant { tenant: deployment.tenant.clone() })?;
    match &*tenant {
        Entity::Tenant(tenant)
            if deployment.state == DeploymentState::Deployed
                && !tenant.environments.contains(&deployment.environment) =>
        {
            let message =
                format!("tenant `{}` may not deploy to `{}`", deployment.tenant, deployment.environment);
            Some(Broken { field: Some("metadata.environment"), message })
        }
        _ => None,
    }
}

/// A pinned deployment goes only to content that was there, and valid.
pub(super) fn check_pin(
    entity: &Entity,
    head: &CommitId,
    objects: &dyn Objects,
    check: &OpenApiCheck<'_>,
) -> Result<Option<Broken>, repository::Error> {
    let Entity::Deployment(deployment) = entity else { return Ok(None) };
    let (DeploymentState::Deployed, Content::Pin(commit)) = (deployment.state, &deployment.content) else {
        return Ok(None);
    };
    let broken = |message: String| Ok(Some(Broken { field: Some("spec.pin"), message }));
    let content = match objects.api_at(commit, head, &deployment.tenant, &deployment.api) {
        Ok(content) => content,
        Err(PinError::Repository(error)) => return Err(error),
        Err(PinError::Invalid(error)) => return broken(format!("the API was not valid then: {error}")),
        Err(error) => return broken(error.to_string()),
    };
    match objects.read_up_to(&content.openapi, MAX_OPENAPI_BYTES)? {
        Err(size) => broken(format!("the OpenAPI document had {size} bytes then")),
        Ok(bytes) => match check(&bytes) {
            Ok(()) => Ok(None),
            Err(message) => broken(format!("the OpenAPI document was not valid then: {message}")),
        },
    }
}
