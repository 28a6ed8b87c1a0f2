//! Topic `api-registration`.

use serde::{Deserialize, Serialize};

use crate::{
    event::event,
    parts::{Authentication, Policies},
    topics,
};

/// Somebody asks to declare and deploy an API in one step. Names are free text here: a wrong one is refused with a reason, not lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiRegistration {
    /// Id that the requester chose; a repeat has the same and no second effect.
    pub request_id: String,
    /// The tenant.
    pub tenant: String,
    /// The API.
    pub api: String,
    /// Version that the tenant gives it.
    pub version: String,
    /// Name for people.
    pub display_name: String,
    /// Text for people.
    pub description: String,
    /// Where to deploy it.
    pub environment: String,
    /// Gateways; empty means all of the environment.
    pub gateways: Vec<String>,
    /// Base address of the backend.
    pub backend_url: String,
    /// How callers prove who they are.
    pub authentication: Authentication,
    /// Limits.
    pub policies: Policies,
    /// `application/json` or `application/yaml`.
    pub document_media_type: String,
    /// The OpenAPI document, compressed with zstd.
    #[serde(with = "apache_avro::serde::bytes")]
    pub document: Vec<u8>,
}

event!(
    ApiRegistration,
    topics::API_REGISTRATION,
    "api-registration",
    1,
    key = |record| record.tenant.clone(),
    subject = |record| format!("tenants/{}/apis/{}", record.tenant, record.api)
);
