//! One Rust type per topic; the schema of each is the newest file of `schemas/<topic>/`.

mod api_created;
mod api_deleted;
mod api_registration;
mod api_updated;
mod application_event;
mod audit_record;
mod catalog_api;
mod catalog_application;
mod catalog_environment;
mod catalog_gateway;
mod catalog_heads;
mod catalog_plan;
mod catalog_tenant;
mod catalog_users;
mod deploy_order;
mod deploy_request;
mod deploy_result;
mod deployment_state;
mod deployment_step;
mod gateway_ack;
mod gateway_instance;
mod gateway_route;
mod gitops_nudge;
mod notification;
mod request_outcome;
mod tenant_event;

pub use self::{
    api_created::ApiCreated,
    api_deleted::ApiDeleted,
    api_registration::ApiRegistration,
    api_updated::ApiUpdated,
    application_event::{ApplicationChange, ApplicationEvent},
    audit_record::{AuditOutcome, AuditRecord},
    catalog_api::CatalogApi,
    catalog_application::{CatalogApplication, Subscription},
    catalog_environment::{CatalogEnvironment, Level},
    catalog_gateway::CatalogGateway,
    catalog_heads::{CatalogHeads, TopicHead},
    catalog_plan::CatalogPlan,
    catalog_tenant::{CatalogTenant, TenantLifecycle},
    catalog_users::{CatalogUsers, Member},
    deploy_order::DeployOrder,
    deploy_request::{DeployOperation, DeployRequest},
    deploy_result::DeployResult,
    deployment_state::{DeploymentPhase, DeploymentState},
    deployment_step::{DeploymentStep, StepPhase},
    gateway_ack::{AckOutcome, GatewayAck},
    gateway_instance::{GatewayInstance, InstanceState},
    gateway_route::GatewayRoute,
    gitops_nudge::{GitopsNudge, NudgeReason},
    notification::{Notification, Severity},
    request_outcome::{RequestOutcome, RequestOutcomeKind},
    tenant_event::{TenantChange, TenantEvent},
};
