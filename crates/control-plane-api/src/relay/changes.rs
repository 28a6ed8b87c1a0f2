//! Change events: what happened to an entity, with who and which commit.

use domain::{
    entity::{Api, Application, Entity, Tenant},
    id::derived_id,
    name::TenantName,
};
use event_bus::{Bus, Error, Outgoing};
use events::{
    ApiCreated, ApiDeleted, ApiUpdated, ApplicationChange, ApplicationEvent, Change, Event, TenantChange,
    TenantEvent,
};
use uuid::Uuid;

/// An entity before and after a commit; at least one of the two is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Difference<'a> {
    pub(crate) before: Option<&'a Entity>,
    pub(crate) after: Option<&'a Entity>,
    /// Whether an API's OpenAPI document differs.
    pub(crate) document: bool,
}

/// A change event.
#[derive(Clone, Debug)]
pub(crate) enum ChangeEvent {
    ApiCreated(ApiCreated),
    ApiUpdated(ApiUpdated),
    ApiDeleted(ApiDeleted),
    Tenant(TenantEvent),
    Application(ApplicationEvent),
}

macro_rules! each {
    ($event:expr, $inner:ident => $body:expr) => {
        match $event {
            ChangeEvent::ApiCreated($inner) => $body,
            ChangeEvent::ApiUpdated($inner) => $body,
            ChangeEvent::ApiDeleted($inner) => $body,
            ChangeEvent::Tenant($inner) => $body,
            ChangeEvent::Application($inner) => $body,
        }
    };
}

impl ChangeEvent {
    /// The event of a difference; nothing for entities whose changes only the catalogue tells.
    pub(crate) fn of(difference: Difference<'_>, change: Change) -> Option<Self> {
        match (difference.before, difference.after) {
            (None, Some(Entity::Api(api))) => Some(Self::ApiCreated(ApiCreated {
                tenant: api.tenant.clone(),
                api: api.name.clone(),
                uid: api.uid,
                version: api.version.clone(),
                display_name: api.display_name.clone(),
                change,
            })),
            (Some(Entity::Api(before)), Some(Entity::Api(after))) => Some(Self::ApiUpdated(ApiUpdated {
                tenant: after.tenant.clone(),
                api: after.name.clone(),
                uid: after.uid,
                version: after.version.clone(),
                display_name: after.display_name.clone(),
                changed: changed(before, after, difference.document),
                change,
            })),
            (Some(Entity::Api(api)), None) => Some(Self::ApiDeleted(ApiDeleted {
                tenant: api.tenant.clone(),
                api: api.name.clone(),
                uid: api.uid,
                version: api.version.clone(),
                change,
            })),
            (before, Some(Entity::Tenant(tenant))) => {
                let kind = if before.is_none() { TenantChange::Created } else { TenantChange::Updated };
                Some(Self::tenant(tenant, kind, change))
            }
            (Some(Entity::Tenant(tenant)), None) => {
                Some(Self::tenant(tenant, TenantChange::Retiring, change))
            }
            (before, Some(Entity::Application(application))) => {
                let kind =
                    if before.is_none() { ApplicationChange::Created } else { ApplicationChange::Updated };
                Some(Self::application(application, kind, change))
            }
            (Some(Entity::Application(application)), None) => {
                Some(Self::application(application, ApplicationChange::Deleted, change))
            }
            _ => None,
        }
    }

    fn tenant(tenant: &Tenant, kind: TenantChange, change: Change) -> Self {
        Self::Tenant(TenantEvent {
            tenant: tenant.name.clone(),
            uid: tenant.uid,
            kind,
            display_name: tenant.display_name.clone(),
            change,
        })
    }

    fn application(application: &Application, kind: ApplicationChange, change: Change) -> Self {
        Self::Application(ApplicationEvent {
            tenant: application.tenant.clone(),
            application: application.name.clone(),
            uid: application.uid,
            kind,
            display_name: application.display_name.clone(),
            change,
        })
    }

    /// The id, which follows from commit and entity.
    pub(crate) fn id(&self, repository: &str, epoch: i64) -> Uuid {
        fn of<E: Event>(event: &E, change: &Change, repository: &str, epoch: i64) -> Uuid {
            let (epoch, revision) = (epoch.to_string(), change.revision.to_string());
            let commit = change.commit.as_str();
            derived_id(&[repository, &epoch, &revision, commit, &event.subject(), E::TOPIC.name])
        }
        each!(self, event => of(event, &event.change, repository, epoch))
    }

    /// The topic.
    pub(crate) fn topic(&self) -> &'static str {
        fn of<E: Event>(_: &E) -> &'static str {
            E::TOPIC.name
        }
        each!(self, event => of(event))
    }

    /// The tenant in whose stream it is shown.
    pub(crate) fn tenant_name(&self) -> &TenantName {
        each!(self, event => &event.tenant)
    }

    /// The name that the stream gives it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::ApiCreated(_) => "api-created",
            Self::ApiUpdated(_) => "api-updated",
            Self::ApiDeleted(_) => "api-deleted",
            Self::Tenant(event) => match event.kind {
                TenantChange::Created => "tenant-created",
                TenantChange::Retiring => "tenant-retiring",
                TenantChange::Deleted => "tenant-deleted",
                TenantChange::Updated | TenantChange::MembersChanged | TenantChange::Unknown => {
                    "tenant-updated"
                }
            },
            Self::Application(event) => match event.kind {
                ApplicationChange::Created => "application-created",
                ApplicationChange::Deleted => "application-deleted",
                ApplicationChange::Updated | ApplicationChange::Unknown => "application-updated",
            },
        }
    }

    /// The record as JSON, for the stream.
    pub(crate) fn json(&self) -> String {
        each!(self, event => serde_json::to_string(event)).unwrap_or_default()
    }

    /// The record, ready to be written.
    pub(crate) async fn prepare(&self, bus: &Bus, id: Uuid) -> Result<Outgoing, Error> {
        each!(self, event => bus.prepare(&bus.envelope(id, event.clone())).await)
    }
}

/// The fields of an API's declaration that differ.
fn changed(before: &Api, after: &Api, document: bool) -> Vec<String> {
    let fields = [
        ("uid", before.uid != after.uid),
        ("displayName", before.display_name != after.display_name),
        ("version", before.version != after.version),
        ("description", before.description != after.description),
        ("category", before.category != after.category),
        ("tags", before.tags != after.tags),
        ("backend", before.backend != after.backend),
        ("authentication", before.authentication != after.authentication),
        ("policies", before.policies != after.policies),
        ("gateway", before.gateway != after.gateway),
        ("document", document),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()).collect()
}
