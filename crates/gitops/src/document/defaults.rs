//! `kind: Defaults`, and the original's `_defaults.yaml`.

use domain::{
    entity::{Defaults, Entity, Kind, VaultSettings},
    variable::Variables,
};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{
    Form,
    envelope::{self, Context, Metadata, Read},
    policies::PoliciesForm,
    value::{Retired, VariableValues, is_default, retired},
};

#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct DefaultsForm {
    /// Variables by name, for `${NAME}` in documents.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(with = "VariableValues")]
    variables: Variables,
    /// Policies of APIs that have none of their own.
    #[serde(skip_serializing_if = "is_default")]
    policies: PoliciesForm,
    /// Where secrets are kept.
    #[serde(skip_serializing_if = "is_default")]
    vault: VaultForm,
}

#[derive(Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct VaultForm {
    /// Whether secrets are taken from there.
    enabled: bool,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// What every path begins with.
    #[serde(alias = "path_prefix")]
    path_prefix: String,
    /// How services prove who they are.
    #[serde(alias = "auth_method")]
    auth_method: String,
}

impl Default for VaultForm {
    fn default() -> Self {
        VaultSettings::default().into()
    }
}

impl From<VaultSettings> for VaultForm {
    fn from(it: VaultSettings) -> Self {
        Self {
            enabled: it.enabled,
            address: it.address,
            path_prefix: it.path_prefix,
            auth_method: it.auth_method,
        }
    }
}

impl From<VaultForm> for VaultSettings {
    fn from(it: VaultForm) -> Self {
        Self {
            enabled: it.enabled,
            address: it.address,
            path_prefix: it.path_prefix,
            auth_method: it.auth_method,
        }
    }
}

/// The original's flat `_defaults.yaml`, whose variables stand in three sections.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FlatForm {
    infrastructure: Variables,
    services: Variables,
    variables: Variables,
    vault: VaultForm,
    default_policies: Option<Retired>,
    environments: Option<Retired>,
}

pub(super) fn schema() -> Schema {
    envelope::schema::<DefaultsForm>(Kind::Defaults)
}

pub(super) fn read(context: &Context<'_>) -> Read {
    let (defaults, ignored) = if context.form == Form::Flat {
        let form: FlatForm = context.source.decode()?;
        let ignored = retired!(form; default_policies as "default_policies", environments as "environments");
        let mut variables = form.infrastructure;
        variables.extend(form.services);
        variables.extend(form.variables);
        (Defaults { variables, vault: form.vault.into(), ..Defaults::default() }, ignored)
    } else {
        let spec = context.envelope::<DefaultsForm>()?.spec;
        let defaults =
            Defaults { variables: spec.variables, policies: spec.policies.into(), vault: spec.vault.into() };
        (defaults, Vec::new())
    };
    Ok((Entity::Defaults(defaults), ignored))
}

pub(super) fn write(defaults: &Defaults) -> String {
    let spec = DefaultsForm {
        variables: defaults.variables.clone(),
        policies: (&defaults.policies).into(),
        vault: defaults.vault.clone().into(),
    };
    envelope::write(Kind::Defaults, Metadata::default(), spec)
}
