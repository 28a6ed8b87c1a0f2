//! An API: where it lives, how callers prove who they are, what the gateway does on the way.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::{
    name::{ApiName, TenantName},
    variable::Templated,
};

/// An API of a tenant; its OpenAPI document is a file of its own beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Api {
    /// The tenant that owns it.
    pub tenant: TenantName,
    /// The name inside the tenant; also the folder.
    pub name: ApiName,
    /// The immutable id.
    pub uid: Uuid,
    /// The name for people.
    pub display_name: String,
    /// The version as its owners count, such as `1.4.0`.
    pub version: String,
    /// What it is, for people.
    pub description: String,
    /// Where the portal lists it.
    pub category: String,
    /// Free words for search; `portal:published` shows it in the portal.
    pub tags: BTreeSet<String>,
    /// Where calls go.
    pub backend: Backend,
    /// How callers prove who they are.
    pub authentication: Authentication,
    /// What the gateway does with calls.
    pub policies: Policies,
    /// How the gateway shows it.
    pub gateway: GatewayOptions,
}

/// Where calls go.
#[derive(Clone, Debug, PartialEq)]
pub struct Backend {
    /// The base address; `http` or `https`, possibly with `${VARIABLES}`.
    pub url: String,
    /// How long a call may take, in seconds.
    pub timeout_seconds: Templated<u32>,
    /// Whether and how a failed call is repeated.
    pub retries: Option<Retries>,
    /// How the gateway asks whether the backend lives.
    pub health_check: Option<HealthCheck>,
}

impl Backend {
    /// A backend at `url` with everything else as usual.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), timeout_seconds: Templated::Literal(30), retries: None, health_check: None }
    }
}

/// How a failed call is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is its own name")]
pub struct Retries {
    pub count: Templated<u32>,
    pub delay_milliseconds: Templated<u32>,
}

/// How the gateway asks whether the backend lives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is its own name")]
pub struct HealthCheck {
    pub path: String,
    pub interval_seconds: Templated<u32>,
}

/// How callers prove who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// Anybody may call.
    None,
    /// A bearer token of the platform's issuer with all of these scopes.
    OAuth2 { scopes: BTreeSet<String> },
}

impl Default for Authentication {
    /// A token without special scopes: what says nothing is closed.
    fn default() -> Self {
        Self::OAuth2 { scopes: BTreeSet::new() }
    }
}

/// What the gateway does with calls.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "each field is its own name")]
pub struct Policies {
    pub rate_limit: Option<RateLimit>,
    pub cors: Option<Cors>,
    pub caching: Option<Caching>,
    pub request_validation: Option<RequestValidation>,
}

/// How many calls one caller may make.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is its own name")]
pub struct RateLimit {
    pub requests_per_minute: Templated<u32>,
    pub burst: Option<Templated<u32>>,
}

/// Which browsers' pages may call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is its own name")]
pub struct Cors {
    pub allowed_origins: Vec<String>,
    pub allowed_methods: Vec<String>,
    pub allowed_headers: Vec<String>,
    pub max_age_seconds: Templated<u32>,
}

/// How long answers are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is its own name")]
pub struct Caching {
    pub ttl_seconds: Templated<u32>,
    pub vary_headers: Vec<String>,
}

/// What of a request is checked against the OpenAPI document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is its own name")]
pub struct RequestValidation {
    pub body: bool,
    pub parameters: bool,
}

/// How the gateway shows an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayOptions {
    /// The path under which an external gateway shows it; the built-in one uses `/apis/{tenant}/{api}`.
    pub base_path: Option<String>,
    /// Whether that path is taken off before the backend sees the request.
    pub strip_base_path: bool,
    /// Whether its operations are offered as tools to agents.
    pub tools: bool,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self { base_path: None, strip_base_path: true, tools: true }
    }
}
