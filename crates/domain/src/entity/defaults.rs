//! What holds everywhere unless something nearer says otherwise.

use crate::{entity::Policies, variable::Variables};

/// The repository's defaults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    /// Variables of everything.
    pub variables: Variables,
    /// Policies of APIs that set none of that kind.
    pub policies: Policies,
    /// How secrets are found.
    pub vault: VaultSettings,
}

/// How secrets are found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is its own name")]
pub struct VaultSettings {
    pub enabled: bool,
    pub address: Option<String>,
    pub path_prefix: String,
    pub auth_method: String,
}

impl Default for VaultSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            address: None,
            path_prefix: "secret/data".to_owned(),
            auth_method: "kubernetes".to_owned(),
        }
    }
}
