//! Catalogue records: the desired state of every entity, as other services read it.

use domain::{
    entity::{Api, Application, Authentication, Entity, GatewayKind, Policies, RateLimit, Users},
    id::{CommitId, Digest, Revision},
    variable::{Templated, Variables},
};
use event_bus::{Bus, Outgoing};
use events::{
    CatalogApi, CatalogApplication, CatalogEnvironment, CatalogGateway, CatalogPlan, CatalogTenant,
    CatalogUsers, Document, Event, Level, Member, Subscription, TenantLifecycle, Topic,
};
use serde::Serialize;
use uuid::Uuid;

/// A catalogue topic, with what its record type decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Catalogue {
    pub(crate) topic: &'static Topic,
    removal: fn(&str) -> Outgoing,
}

impl Catalogue {
    const fn of<E: Event>() -> Self {
        Self { topic: E::TOPIC, removal: Outgoing::removal::<E> }
    }

    /// The removal of a key, ready to be written.
    pub(crate) fn removal(&self, key: &str) -> Outgoing {
        (self.removal)(key)
    }
}

/// The catalogue topics, in the order in which a step writes them: what others refer to comes first.
pub(crate) static TOPICS: [Catalogue; 7] = [
    Catalogue::of::<CatalogEnvironment>(),
    Catalogue::of::<CatalogGateway>(),
    Catalogue::of::<CatalogPlan>(),
    Catalogue::of::<CatalogTenant>(),
    Catalogue::of::<CatalogUsers>(),
    Catalogue::of::<CatalogApi>(),
    Catalogue::of::<CatalogApplication>(),
];

/// Where a catalogue record stems from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) revision: Revision,
    pub(crate) commit: CommitId,
}

/// A record of one of the catalogue topics.
#[derive(Clone, Debug)]
pub(crate) enum CatalogRecord {
    Environment(CatalogEnvironment),
    Gateway(CatalogGateway),
    Plan(CatalogPlan),
    Tenant(CatalogTenant),
    Users(CatalogUsers),
    Api(CatalogApi),
    Application(CatalogApplication),
}

/// Calls `$body` with the record inside, whatever its type.
macro_rules! each {
    ($record:expr, $inner:ident => $body:expr) => {
        match $record {
            CatalogRecord::Environment($inner) => $body,
            CatalogRecord::Gateway($inner) => $body,
            CatalogRecord::Plan($inner) => $body,
            CatalogRecord::Tenant($inner) => $body,
            CatalogRecord::Users($inner) => $body,
            CatalogRecord::Api($inner) => $body,
            CatalogRecord::Application($inner) => $body,
        }
    };
}

macro_rules! from {
    ($($type:ident => $variant:ident),+ $(,)?) => {
        $(impl From<$type> for CatalogRecord {
            fn from(record: $type) -> Self {
                Self::$variant(record)
            }
        })+
    };
}

from! {
    CatalogEnvironment => Environment,
    CatalogGateway => Gateway,
    CatalogPlan => Plan,
    CatalogTenant => Tenant,
    CatalogUsers => Users,
    CatalogApi => Api,
    CatalogApplication => Application,
}

impl CatalogRecord {
    /// The record of an entity; nothing for those that no other service reads.
    pub(crate) fn of(entity: &Entity, document: Option<Document>, origin: Origin) -> Option<Self> {
        let Origin { revision, commit } = origin;
        let record = match entity {
            Entity::Defaults(it) => Self::Environment(CatalogEnvironment {
                level: Level::Defaults,
                environment: None,
                tenant: None,
                variables: variables(&it.variables),
                auto_deploy: false,
                revision,
                commit,
            }),
            Entity::Environment(it) => Self::Environment(CatalogEnvironment {
                level: Level::Environment,
                environment: Some(it.name.clone()),
                tenant: None,
                variables: variables(&it.variables),
                auto_deploy: it.settings.auto_deploy,
                revision,
                commit,
            }),
            Entity::TenantVariables(it) => Self::Environment(CatalogEnvironment {
                level: Level::Tenant,
                environment: Some(it.environment.clone()),
                tenant: Some(it.tenant.clone()),
                variables: variables(&it.variables),
                auto_deploy: false,
                revision,
                commit,
            }),
            Entity::Gateway(it) => Self::Gateway(CatalogGateway {
                environment: it.environment.clone(),
                gateway: it.name.clone(),
                kind: gateway_kind(&it.kind),
                address: it.address.clone(),
                revision,
                commit,
            }),
            Entity::Plan(it) => Self::Plan(CatalogPlan {
                plan: it.name.clone(),
                display_name: it.display_name.clone(),
                description: it.description.clone(),
                policies: events::Policies {
                    requests_per_minute: it.requests_per_minute.map(i64::from),
                    burst: it.burst.map(i64::from),
                },
                requires_approval: it.requires_approval,
                revision,
                commit,
            }),
            Entity::Tenant(it) => Self::Tenant(CatalogTenant {
                tenant: it.name.clone(),
                uid: it.uid,
                display_name: it.display_name.clone(),
                description: it.description.clone(),
                contact_email: given(&it.contact.email),
                environments: it.environments.iter().cloned().collect(),
                lifecycle: TenantLifecycle::Active,
                revision,
                commit,
            }),
            Entity::Users(it) => Self::Users(users(it, revision, commit)),
            Entity::Api(it) => Self::Api(api(it, document, revision, commit)),
            Entity::Application(it) => Self::Application(application(it, revision, commit)),
            Entity::Deployment(_) | Entity::PromotionRequest(_) => return None,
        };
        Some(record)
    }

    /// Its topic.
    pub(crate) fn catalogue(&self) -> Catalogue {
        fn of<E: Event>(_: &E) -> Catalogue {
            Catalogue::of::<E>()
        }
        each!(self, record => of(record))
    }

    /// The name of the topic.
    pub(crate) fn topic(&self) -> &'static str {
        self.catalogue().topic.name
    }

    /// The key.
    pub(crate) fn key(&self) -> String {
        each!(self, record => record.key())
    }

    /// The record, ready to be written.
    pub(crate) async fn prepare(&self, bus: &Bus, id: Uuid) -> Result<Outgoing, event_bus::Error> {
        each!(self, record => bus.prepare(&bus.envelope(id, record.clone())).await)
    }

    /// Digest of what the record says, apart from where it stems from: equal digests need no new record.
    pub(crate) fn content(&self) -> Digest {
        let mut plain = self.clone();
        each!(&mut plain, record => { record.revision = Revision::default(); });
        if let Self::Api(CatalogApi { document: Some(document), .. }) = &mut plain {
            // Its own digest stands for it.
            document.content.clear();
        }
        let Ok(mut value) = each!(&plain, record => serde_json::to_value(record)) else {
            return Digest::of(b"");
        };
        if let Some(fields) = value.as_object_mut() {
            fields.remove("commit");
        }
        digest(&value)
    }
}

fn users(it: &Users, revision: Revision, commit: CommitId) -> CatalogUsers {
    CatalogUsers {
        tenant: it.tenant.clone(),
        members: it
            .users
            .iter()
            .map(|user| Member {
                email: user.email.clone(),
                username: user.username.clone(),
                first_name: user.first_name.clone(),
                last_name: user.last_name.clone(),
                roles: user.roles.iter().map(ToString::to_string).collect(),
            })
            .collect(),
        revision,
        commit,
    }
}

fn api(it: &Api, document: Option<Document>, revision: Revision, commit: CommitId) -> CatalogApi {
    let (authentication, scopes) = authentication(&it.authentication);
    CatalogApi {
        tenant: it.tenant.clone(),
        api: it.name.clone(),
        uid: it.uid,
        display_name: it.display_name.clone(),
        version: it.version.clone(),
        description: it.description.clone(),
        backend_url: it.backend.url.clone(),
        authentication,
        scopes,
        tags: it.tags.iter().cloned().collect(),
        document,
        revision,
        commit,
    }
}

fn application(it: &Application, revision: Revision, commit: CommitId) -> CatalogApplication {
    CatalogApplication {
        tenant: it.tenant.clone(),
        application: it.name.clone(),
        uid: it.uid,
        display_name: it.display_name.clone(),
        description: it.description.clone(),
        owner_email: given(&it.owner.email),
        redirect_uris: it.redirect_uris.clone(),
        subscriptions: it
            .subscriptions
            .iter()
            .map(|subscription| Subscription {
                tenant: subscription.tenant.clone(),
                api: subscription.api.clone(),
                plan: subscription.plan.clone(),
                environments: subscription.environments.iter().cloned().collect(),
            })
            .collect(),
        revision,
        commit,
    }
}

/// Digest of anything that serialises; what does not is equal to nothing else.
pub(crate) fn digest<T: Serialize>(value: &T) -> Digest {
    Digest::of(&serde_json::to_vec(value).unwrap_or_default())
}

/// What the gateway is, as records name it.
pub(crate) fn gateway_kind(kind: &GatewayKind) -> events::GatewayKind {
    match kind {
        GatewayKind::Builtin => events::GatewayKind::Builtin,
        GatewayKind::WebMethods(_) => events::GatewayKind::Webmethods,
    }
}

/// How callers prove who they are, as records have it.
pub(crate) fn authentication(authentication: &Authentication) -> (events::Authentication, Vec<String>) {
    match authentication {
        Authentication::None => (events::Authentication::None, Vec::new()),
        Authentication::OAuth2 { scopes } => {
            (events::Authentication::Oauth2, scopes.iter().cloned().collect())
        }
    }
}

/// Limits as records have them; those of `api` win over those of `defaults`.
pub(crate) fn policies(api: &Policies, defaults: Option<&Policies>) -> events::Policies {
    let limit =
        api.rate_limit.as_ref().or_else(|| defaults.and_then(|defaults| defaults.rate_limit.as_ref()));
    let literal = |value: &Templated<u32>| value.literal().map(|value| i64::from(*value));
    match limit {
        None => events::Policies { requests_per_minute: None, burst: None },
        Some(RateLimit { requests_per_minute, burst }) => events::Policies {
            requests_per_minute: literal(requests_per_minute),
            burst: burst.as_ref().and_then(literal),
        },
    }
}

fn variables(variables: &Variables) -> std::collections::BTreeMap<String, String> {
    variables.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
