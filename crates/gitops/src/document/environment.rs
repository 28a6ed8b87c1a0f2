//! `kind: Environment`, and the original's `config.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    entity::{Entity, EntityPath, Environment, EnvironmentSettings, Kind, Kubernetes},
    secret::SecretReference,
    variable::Variables,
};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{
    Form,
    envelope::{self, Context, Metadata, Read},
    users::RoleName,
    value::{Retired, VariableValues, is_default, retired},
};

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EnvironmentForm {
    /// Name for people.
    #[serde(default)]
    display_name: Option<String>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "is_default")]
    description: String,
    /// Variables by name, for `${NAME}` in documents.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(with = "VariableValues")]
    variables: Variables,
    /// Rules of the environment.
    #[serde(default)]
    settings: SettingsForm,
    /// Its secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vault: Option<VaultForm>,
    /// Its cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kubernetes: Option<KubernetesForm>,
    /// Channel name to the secret that holds its address.
    #[serde(default, skip_serializing_if = "is_default")]
    alerts: BTreeMap<String, SecretReference>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the document")]
struct SettingsForm {
    /// Whether a new API is deployed here at once.
    #[serde(alias = "auto_deploy")]
    auto_deploy: bool,
    /// Whether differences are repaired without a person.
    #[serde(alias = "auto_sync")]
    auto_sync: bool,
    /// Whether somebody must approve a promotion.
    #[serde(alias = "require_approval")]
    require_approval: bool,
    /// Who may approve.
    #[serde(alias = "approval_roles")]
    approval_roles: BTreeSet<RoleName>,
    /// Whether an API may come here untested.
    #[serde(alias = "allow_untested_apis")]
    allow_untested_apis: bool,
    /// Whether an API must have run in staging.
    #[serde(alias = "require_staging_validation")]
    require_staging_validation: bool,
    /// Share of the calls that a new version gets first.
    #[serde(alias = "canary_percentage", skip_serializing_if = "Option::is_none")]
    canary_percentage: Option<u8>,
    /// Whether a new version gets a share of the calls first.
    #[serde(alias = "canary_deployment", skip_serializing)]
    canary_deployment: Option<bool>,
}

impl Default for SettingsForm {
    fn default() -> Self {
        (&EnvironmentSettings::default()).into()
    }
}

impl From<&EnvironmentSettings> for SettingsForm {
    fn from(it: &EnvironmentSettings) -> Self {
        Self {
            auto_deploy: it.auto_deploy,
            auto_sync: it.auto_sync,
            require_approval: it.require_approval,
            approval_roles: it.approval_roles.iter().copied().map(RoleName).collect(),
            allow_untested_apis: it.allow_untested_apis,
            require_staging_validation: it.require_staging_validation,
            canary_percentage: it.canary_percentage,
            canary_deployment: None,
        }
    }
}

impl From<SettingsForm> for EnvironmentSettings {
    fn from(it: SettingsForm) -> Self {
        Self {
            auto_deploy: it.auto_deploy,
            auto_sync: it.auto_sync,
            require_approval: it.require_approval,
            approval_roles: it.approval_roles.iter().map(|role| role.0).collect(),
            allow_untested_apis: it.allow_untested_apis,
            require_staging_validation: it.require_staging_validation,
            canary_percentage: it.canary_percentage.filter(|_| it.canary_deployment != Some(false)),
        }
    }
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VaultForm {
    /// What every path begins with.
    #[serde(alias = "path_prefix")]
    path_prefix: String,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KubernetesForm {
    /// Address of its API server.
    #[serde(alias = "cluster_url")]
    cluster_url: String,
    /// What its namespaces end with.
    #[serde(default, alias = "namespace_suffix", skip_serializing_if = "Option::is_none")]
    namespace_suffix: Option<String>,
}

/// The original's flat `config.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlatForm {
    #[serde(default)]
    environment: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    variables: Variables,
    #[serde(default)]
    settings: SettingsForm,
    #[serde(default)]
    vault: Option<VaultForm>,
    #[serde(default)]
    kubernetes: Option<KubernetesForm>,
    #[serde(default)]
    alerting: Option<Retired>,
}

pub(super) fn schema() -> Schema {
    envelope::schema::<EnvironmentForm>(Kind::Environment)
}

pub(super) fn read(context: &Context<'_>) -> Read {
    let EntityPath::Environment { environment: name } = context.path else {
        unreachable!("the path says the kind")
    };
    let (form, display_name, ignored) = if context.form == Form::Flat {
        let form: FlatForm = context.source.decode()?;
        context.agree("environment", form.environment.as_deref(), Some(name.as_str()))?;
        let ignored = retired!(form; alerting as "alerting");
        let form = EnvironmentForm {
            display_name: None,
            description: form.description,
            variables: form.variables,
            settings: form.settings,
            vault: form.vault,
            kubernetes: form.kubernetes,
            alerts: BTreeMap::new(),
        };
        (form, None, ignored)
    } else {
        let envelope = context.envelope::<EnvironmentForm>()?;
        (envelope.spec, envelope.metadata.display_name, Vec::new())
    };
    if form.settings.canary_percentage.is_some_and(|share| share > 100) {
        let field = if context.form == Form::Flat { "settings" } else { "spec.settings" };
        return Err(context.source.at(field, "a canary gets at most 100 percent"));
    }
    let environment = Environment {
        name: name.clone(),
        display_name: form.display_name.or(display_name).unwrap_or_else(|| name.to_string()),
        description: form.description,
        variables: form.variables,
        settings: form.settings.into(),
        vault_path_prefix: form.vault.map(|vault| vault.path_prefix),
        kubernetes: form
            .kubernetes
            .map(|it| Kubernetes { cluster_url: it.cluster_url, namespace_suffix: it.namespace_suffix }),
        alerts: form.alerts,
    };
    Ok((Entity::Environment(environment), ignored))
}

pub(super) fn write(environment: &Environment) -> String {
    let metadata = Metadata { name: Some(environment.name.to_string()), ..Metadata::default() };
    let spec = EnvironmentForm {
        display_name: Some(environment.display_name.clone()),
        description: environment.description.clone(),
        variables: environment.variables.clone(),
        settings: (&environment.settings).into(),
        vault: environment.vault_path_prefix.clone().map(|path_prefix| VaultForm { path_prefix }),
        kubernetes: environment
            .kubernetes
            .clone()
            .map(|it| KubernetesForm { cluster_url: it.cluster_url, namespace_suffix: it.namespace_suffix }),
        alerts: environment.alerts.clone(),
    };
    envelope::write(Kind::Environment, metadata, spec)
}
