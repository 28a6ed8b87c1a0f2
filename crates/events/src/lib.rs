#![doc = include_str!("../README.md")]

mod codec;
mod document;
mod envelope;
mod error;
mod event;
mod field;
mod parts;
mod records;

pub mod compatibility;
pub mod limits;
pub mod schemas;
pub mod topics;
pub mod wire;

pub use self::{
    codec::{Codec, WriterSchema},
    document::{DocumentError, unpack as unpack_document},
    envelope::Envelope,
    event::Event,
    parts::{
        Authentication, Change, Document, GatewayKind, GatewayTarget, OrderKind, Outcome, Policies, Upstream,
        Variable,
    },
    records::{
        AckOutcome, ApiCreated, ApiDeleted, ApiRegistration, ApiUpdated, ApplicationChange, ApplicationEvent,
        AuditOutcome, AuditRecord, CatalogApi, CatalogApplication, CatalogEnvironment, CatalogGateway,
        CatalogHeads, CatalogPlan, CatalogTenant, CatalogUsers, DeployOperation, DeployOrder, DeployRequest,
        DeployResult, DeploymentPhase, DeploymentState, DeploymentStep, GatewayAck, GatewayInstance,
        GatewayRoute, GitopsNudge, InstanceState, Level, Member, Notification, NudgeReason, RequestOutcome,
        RequestOutcomeKind, Severity, StepPhase, Subscription, TenantChange, TenantEvent, TenantLifecycle,
        TopicHead,
    },
    topics::Topic,
};

/// Names of the headers that records carry.
pub mod headers {
    pub use crate::envelope::{
        CONTENT_TYPE, ID, SIGNATURE, SOURCE, SPEC_VERSION, SUBJECT, TIME, TRACEPARENT, TYPE,
    };
}
