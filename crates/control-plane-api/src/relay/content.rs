//! What a gateway is to do about an API: everything that decides it, and the digest of all of that.

use std::collections::BTreeMap;

use domain::{
    entity::{Api, Defaults, Environment, TenantVariables},
    id::Digest,
    variable::{Variables, is_template},
};
use events::{Authentication, Document, DocumentError, Policies, Upstream, Variable};

use super::catalog::{authentication, digest, policies};

/// The content of a deployment, the same for every gateway of the environment.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) document: Document,
    pub(crate) upstream: Upstream,
    pub(crate) authentication: Authentication,
    pub(crate) scopes: Vec<String>,
    pub(crate) policies: Policies,
    pub(crate) variables: Vec<Variable>,
    /// Over all of the above and what the API is called; equal digests need no new order.
    pub(crate) digest: Digest,
}

/// Why there is nothing to deploy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    /// A value still holds a variable.
    #[error("{field} holds a variable, `{value}`, which is not resolved")]
    Unresolved {
        /// The field.
        field: &'static str,
        /// What it holds.
        value: String,
    },
    /// The document cannot travel.
    #[error("the OpenAPI document cannot be deployed")]
    Document(#[source] DocumentError),
}

impl ContentError {
    /// A stable word.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Unresolved { .. } => "unresolved-variable",
            Self::Document(_) => "document-too-large",
        }
    }
}

/// Settings that reach an API in an environment, widest first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Levels<'a> {
    pub(crate) defaults: Option<&'a Defaults>,
    pub(crate) environment: &'a Environment,
    pub(crate) tenant: Option<&'a TenantVariables>,
}

impl Content {
    /// The content of `api` with `text` as its document, under the settings of `levels`.
    pub(crate) fn of(
        api: &Api,
        text: &[u8],
        media_type: &str,
        levels: Levels<'_>,
    ) -> Result<Self, ContentError> {
        let document = Document::pack(text, media_type).map_err(ContentError::Document)?;
        let upstream =
            Upstream { url: resolved("backend.url", &api.backend.url)?, timeout_ms: timeout(api)? };
        let (authentication, scopes) = authentication(&api.authentication);
        let policies = policies(&api.policies, levels.defaults.map(|defaults| &defaults.policies));
        let variables = variables(levels);
        let digest = digest(&(
            (&api.uid, &api.version, &api.display_name, &api.description, api.gateway.tools),
            (&document.digest, &document.media_type),
            (&upstream, authentication, &scopes, &policies, &variables),
        ));
        Ok(Self { document, upstream, authentication, scopes, policies, variables, digest })
    }
}

fn resolved(field: &'static str, value: &str) -> Result<String, ContentError> {
    if is_template(value) {
        return Err(ContentError::Unresolved { field, value: value.to_owned() });
    }
    Ok(value.to_owned())
}

fn timeout(api: &Api) -> Result<i64, ContentError> {
    match api.backend.timeout_seconds.literal() {
        Some(seconds) => Ok(i64::from(*seconds) * 1000),
        None => Err(ContentError::Unresolved {
            field: "backend.timeout",
            value: api.backend.timeout_seconds.to_string(),
        }),
    }
}

/// The variables in effect: a nearer level wins, and each names the file that gave it.
fn variables(levels: Levels<'_>) -> Vec<Variable> {
    let environment = &levels.environment.name;
    let mut out: BTreeMap<String, Variable> = BTreeMap::new();
    let mut put = |variables: &Variables, source: &str| {
        for (name, value) in variables {
            let variable =
                Variable { name: name.to_string(), value: value.clone(), source: source.to_owned() };
            out.insert(variable.name.clone(), variable);
        }
    };
    if let Some(defaults) = levels.defaults {
        put(&defaults.variables, "_defaults.yaml");
    }
    put(&levels.environment.variables, &format!("environments/{environment}/config.yaml"));
    if let Some(tenant) = levels.tenant {
        put(&tenant.variables, &format!("tenants/{}/environments/{environment}.yaml", tenant.tenant));
    }
    out.into_values().collect()
}
