//! What Git declares, as plain data: one file per entity.
//!
//! An entity is made from a document (`gitops`) or from a request (`control-plane-api`); whoever makes it has
//! checked it. Entities carry no serialised form of their own: documents, records and answers each have one.

mod api;
mod application;
mod defaults;
mod deployment;
mod environment;
mod gateway;
mod path;
mod plan;
mod promotion_request;
mod tenant;
mod tenant_variables;
mod users;

pub use self::{
    api::{
        Api, Authentication, Backend, Caching, Cors, GatewayOptions, HealthCheck, Policies, RateLimit,
        RequestValidation, Retries,
    },
    application::{Application, Limits, Subscription, SubscriptionState},
    defaults::{Defaults, VaultSettings},
    deployment::{Content, Deployment, DeploymentState},
    environment::{Environment, EnvironmentSettings, Kubernetes},
    gateway::{Gateway, GatewayKind, WebMethods},
    path::{EntityPath, Kind, PathError},
    plan::Plan,
    promotion_request::{Impact, PreChecks, PromotionEvent, PromotionRequest, PromotionState, RequestId},
    tenant::{Contact, Operation, Producer, PublicKey, PublicKeyError, Quotas, Tenant},
    tenant_variables::TenantVariables,
    users::{User, Users},
};

/// Any entity.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant holds the entity it is named after")]
#[expect(clippy::large_enum_variant, reason = "entities are kept behind an `Arc`")]
pub enum Entity {
    Defaults(Defaults),
    Environment(Environment),
    Gateway(Gateway),
    Plan(Plan),
    Tenant(Tenant),
    Users(Users),
    TenantVariables(TenantVariables),
    Api(Api),
    Deployment(Deployment),
    Application(Application),
    PromotionRequest(PromotionRequest),
}

impl Entity {
    /// Where the entity stands among all others.
    #[must_use]
    pub fn path(&self) -> EntityPath {
        match self {
            Self::Defaults(_) => EntityPath::Defaults,
            Self::Environment(it) => EntityPath::Environment { environment: it.name.clone() },
            Self::Gateway(it) => {
                EntityPath::Gateway { environment: it.environment.clone(), gateway: it.name.clone() }
            }
            Self::Plan(it) => EntityPath::Plan { plan: it.name.clone() },
            Self::Tenant(it) => EntityPath::Tenant { tenant: it.name.clone() },
            Self::Users(it) => EntityPath::Users { tenant: it.tenant.clone() },
            Self::TenantVariables(it) => {
                EntityPath::TenantVariables { tenant: it.tenant.clone(), environment: it.environment.clone() }
            }
            Self::Api(it) => EntityPath::Api { tenant: it.tenant.clone(), api: it.name.clone() },
            Self::Deployment(it) => EntityPath::Deployment {
                tenant: it.tenant.clone(),
                api: it.api.clone(),
                environment: it.environment.clone(),
            },
            Self::Application(it) => {
                EntityPath::Application { tenant: it.tenant.clone(), application: it.name.clone() }
            }
            Self::PromotionRequest(it) => EntityPath::PromotionRequest {
                environment: it.target.clone(),
                year: it.year,
                month: it.month,
                id: it.id.clone(),
            },
        }
    }

    /// The immutable id of the entity, for the kinds that are addressed by one.
    #[must_use]
    pub fn uid(&self) -> Option<uuid::Uuid> {
        match self {
            Self::Tenant(it) => Some(it.uid),
            Self::Api(it) => Some(it.uid),
            Self::Application(it) => Some(it.uid),
            _ => None,
        }
    }
}
