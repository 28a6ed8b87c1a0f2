//! `kind: Tenant`.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    entity::{Contact, Entity, EntityPath, Kind, Operation, Producer, PublicKey, Quotas, Tenant},
    name::EnvironmentName,
};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{
    Form,
    envelope::{self, Context, Metadata, Read},
    error::DocumentError,
    value::{Retired, is_default, retired},
};

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TenantForm {
    /// Name for people.
    #[serde(default)]
    display_name: Option<String>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "is_default")]
    description: String,
    /// Whom to ask.
    #[serde(default, skip_serializing_if = "is_default")]
    contact: ContactForm,
    /// Where its APIs may run.
    #[serde(default)]
    environments: Option<BTreeSet<EnvironmentName>>,
    /// How much it may have.
    #[serde(default)]
    quotas: Option<QuotasForm>,
    /// Programs that may write to the request topics, by name.
    #[serde(default, skip_serializing_if = "is_default")]
    producers: BTreeMap<String, ProducerForm>,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "is_default")]
    tags: BTreeSet<String>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    organization: Option<OrganizationForm>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    settings: Option<SettingsForm>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    status: Option<Retired>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    roles: Option<Retired>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    keycloak: Option<Retired>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    notifications: Option<Retired>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    audit: Option<Retired>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    metadata: Option<Retired>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    portal_visibility: Option<Retired>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    visibility: Option<Retired>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    default_policies: Option<Retired>,
}

/// Whom to ask; also the owner of an application.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ContactForm {
    /// Name of the person.
    #[serde(skip_serializing_if = "is_default")]
    name: String,
    /// E-mail address.
    #[serde(skip_serializing_if = "is_default")]
    email: String,
    /// Telephone number.
    #[serde(skip_serializing_if = "is_default")]
    phone: String,
    /// Their team.
    #[serde(skip_serializing_if = "is_default")]
    team: String,
}

impl From<ContactForm> for Contact {
    fn from(it: ContactForm) -> Self {
        Self { name: it.name, email: it.email, phone: it.phone, team: it.team }
    }
}

impl From<Contact> for ContactForm {
    fn from(it: Contact) -> Self {
        Self { name: it.name, email: it.email, phone: it.phone, team: it.team }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganizationForm {
    #[serde(default, rename = "name")]
    _name: Option<Retired>,
    #[serde(default, rename = "domain")]
    _domain: Option<Retired>,
    #[serde(default)]
    contact: ContactForm,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "the document's names")]
struct QuotasForm {
    /// APIs.
    max_apis: u32,
    /// Applications.
    max_applications: u32,
    /// Users in each role.
    max_users_per_role: u32,
    /// Calls in a day.
    max_requests_per_day: u64,
}

impl Default for QuotasForm {
    fn default() -> Self {
        Quotas::default().into()
    }
}

impl From<QuotasForm> for Quotas {
    fn from(it: QuotasForm) -> Self {
        Self {
            apis: it.max_apis,
            applications: it.max_applications,
            users_per_role: it.max_users_per_role,
            requests_per_day: it.max_requests_per_day,
        }
    }
}

impl From<Quotas> for QuotasForm {
    fn from(it: Quotas) -> Self {
        Self {
            max_apis: it.apis,
            max_applications: it.applications,
            max_users_per_role: it.users_per_role,
            max_requests_per_day: it.requests_per_day,
        }
    }
}

#[derive(Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProducerForm {
    /// The `kid` of its signatures.
    key_id: String,
    /// The `x` of the key's JWK.
    public_key: PublicKey,
    /// What it may ask for.
    operations: BTreeSet<Operation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsForm {
    #[serde(default)]
    max_apis: Option<u32>,
    #[serde(default)]
    max_applications: Option<u32>,
    #[serde(default)]
    environments: Option<BTreeSet<EnvironmentName>>,
}

impl SettingsForm {
    fn quotas(&self) -> Quotas {
        let usual = Quotas::default();
        Quotas {
            apis: self.max_apis.unwrap_or(usual.apis),
            applications: self.max_applications.unwrap_or(usual.applications),
            ..usual
        }
    }
}

/// The original's flat `tenant.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlatForm {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    owner_email: String,
    #[serde(default)]
    settings: SettingsForm,
    #[serde(default)]
    created_at: Option<Retired>,
    #[serde(default)]
    status: Option<Retired>,
}

/// Where a tenant may deploy that says nothing; production is asked for by name.
fn usual_environments() -> BTreeSet<EnvironmentName> {
    ["dev", "staging"].iter().filter_map(|name| name.parse().ok()).collect()
}

pub(super) fn schema() -> Schema {
    envelope::schema::<TenantForm>(Kind::Tenant)
}

pub(super) fn read(context: &Context<'_>) -> Read {
    let (tenant, ignored) =
        if context.form == Form::Flat { from_flat(context)? } else { from_envelope(context)? };
    Ok((Entity::Tenant(tenant), ignored))
}

fn from_flat(context: &Context<'_>) -> Result<(Tenant, Vec<&'static str>), DocumentError> {
    let EntityPath::Tenant { tenant: name } = context.path else { unreachable!("the path says the kind") };
    let form: FlatForm = context.source.decode()?;
    // `id` is the slug, `name` what somebody typed.
    match &form.id {
        Some(id) => context.agree("id", Some(id), Some(name.as_str()))?,
        None => context.agree("name", form.name.as_deref(), Some(name.as_str()))?,
    }
    let ignored = retired!(form; created_at as "created_at", status as "status");
    let tenant = Tenant {
        name: name.clone(),
        uid: context.uid(None),
        display_name: form.display_name.or(form.name).unwrap_or_else(|| name.to_string()),
        description: form.description,
        contact: Contact { email: form.owner_email, ..Contact::default() },
        quotas: form.settings.quotas(),
        environments: form.settings.environments.unwrap_or_else(usual_environments),
        producers: BTreeMap::new(),
        tags: BTreeSet::new(),
    };
    Ok((tenant, ignored))
}

fn from_envelope(context: &Context<'_>) -> Result<(Tenant, Vec<&'static str>), DocumentError> {
    let EntityPath::Tenant { tenant: name } = context.path else { unreachable!("the path says the kind") };
    let envelope: envelope::Envelope<TenantForm> = context.envelope()?;
    let (metadata, spec) = (envelope.metadata, envelope.spec);
    if context.form == Form::Current {
        for (field, there) in
            [("spec.organization", spec.organization.is_some()), ("spec.settings", spec.settings.is_some())]
        {
            if there {
                return Err(context
                    .source
                    .at(field, "belongs to the original's form; see `contact`, `quotas`"));
            }
        }
    }
    let ignored = retired!(spec; status as "spec.status", roles as "spec.roles", keycloak as "spec.keycloak",
        notifications as "spec.notifications", audit as "spec.audit", metadata as "spec.metadata",
        portal_visibility as "spec.portalVisibility", visibility as "spec.visibility",
        default_policies as "spec.defaultPolicies");
    let settings = spec.settings.unwrap_or_default();
    let contact = match spec.organization {
        Some(organization) if is_default(&spec.contact) => organization.contact,
        _ => spec.contact,
    };
    let mut keys = BTreeSet::new();
    for (producer, form) in &spec.producers {
        if !keys.insert(form.key_id.clone()) {
            let field = format!("spec.producers.{producer}.keyId");
            return Err(context
                .source
                .at(&field, format!("another producer has key id `{}` too", form.key_id)));
        }
    }
    let tenant = Tenant {
        name: name.clone(),
        uid: context.uid(metadata.uid),
        display_name: spec.display_name.or(metadata.display_name).unwrap_or_else(|| name.to_string()),
        description: Some(spec.description)
            .filter(|text| !text.is_empty())
            .or(metadata.description)
            .unwrap_or_default(),
        contact: contact.into(),
        quotas: spec.quotas.map_or_else(|| settings.quotas(), Quotas::from),
        environments: spec.environments.or(settings.environments).unwrap_or_else(usual_environments),
        producers: spec
            .producers
            .into_iter()
            .map(|(producer, it)| {
                (
                    producer,
                    Producer { key_id: it.key_id, public_key: it.public_key, operations: it.operations },
                )
            })
            .collect(),
        tags: spec.tags,
    };
    Ok((tenant, ignored))
}

pub(super) fn write(tenant: &Tenant) -> String {
    let metadata =
        Metadata { name: Some(tenant.name.to_string()), uid: Some(tenant.uid), ..Metadata::default() };
    let producers = tenant.producers.iter().map(|(name, it)| {
        let form = ProducerForm {
            key_id: it.key_id.clone(),
            public_key: it.public_key,
            operations: it.operations.clone(),
        };
        (name.clone(), form)
    });
    let spec = TenantForm {
        display_name: Some(tenant.display_name.clone()),
        description: tenant.description.clone(),
        contact: tenant.contact.clone().into(),
        environments: Some(tenant.environments.clone()),
        quotas: Some(tenant.quotas.clone().into()),
        producers: producers.collect(),
        tags: tenant.tags.clone(),
        organization: None,
        settings: None,
        status: None,
        roles: None,
        keycloak: None,
        notifications: None,
        audit: None,
        metadata: None,
        portal_visibility: None,
        visibility: None,
        default_policies: None,
    };
    envelope::write(Kind::Tenant, metadata, spec)
}
