//! An environment: a deployment target with its variables and its rules.

use std::collections::{BTreeMap, BTreeSet};

use crate::{name::EnvironmentName, rbac::Role, secret::SecretReference, variable::Variables};

/// A deployment target such as `dev`.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// The name; also the folder.
    pub name: EnvironmentName,
    /// The name for people.
    pub display_name: String,
    /// What it is, for people.
    pub description: String,
    /// Variables of everything that runs in it.
    pub variables: Variables,
    /// The rules of deploying to it.
    pub settings: EnvironmentSettings,
    /// Where its secrets stand in the vault.
    pub vault_path_prefix: Option<String>,
    /// The cluster that runs its tenants' namespaces.
    pub kubernetes: Option<Kubernetes>,
    /// Where alerts go: channel name to the secret that holds its address.
    pub alerts: BTreeMap<String, SecretReference>,
}

/// The rules of deploying to an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the document")]
pub struct EnvironmentSettings {
    /// Whether a new API is deployed at once and follows the head.
    pub auto_deploy: bool,
    /// Whether `ArgoCD` applies what changed by itself.
    pub auto_sync: bool,
    /// Whether somebody has to agree first.
    pub require_approval: bool,
    /// Who may agree.
    pub approval_roles: BTreeSet<Role>,
    /// Whether an API without test evidence may come.
    pub allow_untested_apis: bool,
    /// Whether the same content must have run in staging.
    pub require_staging_validation: bool,
    /// The share of traffic that a new version gets first, in percent; none goes over at once.
    pub canary_percentage: Option<u8>,
}

impl Default for EnvironmentSettings {
    /// The careful choice everywhere.
    fn default() -> Self {
        Self {
            auto_deploy: false,
            auto_sync: false,
            require_approval: true,
            approval_roles: BTreeSet::from([Role::CpiAdmin]),
            allow_untested_apis: false,
            require_staging_validation: false,
            canary_percentage: None,
        }
    }
}

/// The cluster of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is its own name")]
pub struct Kubernetes {
    pub cluster_url: String,
    pub namespace_suffix: Option<String>,
}
