//! `kind: Application`.

use std::collections::BTreeSet;

use domain::{
    entity::{Application, Entity, EntityPath, Kind, Limits, Subscription, SubscriptionState},
    name::{ApiName, EnvironmentName, PlanName, TenantName},
};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{
    envelope::{self, Context, Metadata, Read},
    tenant::ContactForm,
    value::{Number, Retired, is_default, retired},
};

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ApplicationForm {
    /// Name for people.
    #[serde(default)]
    display_name: Option<String>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "is_default")]
    description: String,
    /// Whom to ask.
    #[serde(default, skip_serializing_if = "is_default")]
    owner: ContactForm,
    /// Its OAuth 2 client.
    #[serde(default)]
    oauth2: OAuth2Form,
    /// Limits of its own.
    #[serde(default, skip_serializing_if = "is_default")]
    rate_limiting: LimitsForm,
    /// The APIs that it may call.
    #[serde(default, skip_serializing_if = "is_default")]
    subscriptions: Vec<SubscriptionForm>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    status: Option<Retired>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    webhooks: Option<Retired>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    metadata: Option<Retired>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct OAuth2Form {
    /// How it gets tokens.
    grant_types: BTreeSet<String>,
    /// Where people come back to after signing in.
    #[serde(skip_serializing_if = "is_default")]
    redirect_uris: Vec<String>,
    /// Scopes that it may ask for.
    #[serde(skip_serializing_if = "is_default")]
    scopes: BTreeSet<String>,
    #[serde(skip_serializing)]
    #[schemars(skip)]
    client_id: Option<Retired>,
    #[serde(skip_serializing)]
    #[schemars(skip)]
    client_secret: Option<String>,
}

impl Default for OAuth2Form {
    fn default() -> Self {
        Self {
            grant_types: BTreeSet::from(["client_credentials".to_owned()]),
            redirect_uris: Vec::new(),
            scopes: BTreeSet::new(),
            client_id: None,
            client_secret: None,
        }
    }
}

#[derive(Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct LimitsForm {
    /// Whether the limits hold.
    #[serde(skip_serializing)]
    enabled: Option<bool>,
    /// Calls in a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    requests_per_minute: Option<Number>,
    /// Calls in a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    daily_quota: Option<Number>,
}

#[derive(Debug, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SubscriptionForm {
    /// The tenant of the API, if it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<TenantName>,
    /// The API.
    #[serde(alias = "apiName")]
    api: ApiName,
    /// The plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<PlanName>,
    /// Where; none means nowhere yet.
    #[serde(default)]
    environments: BTreeSet<EnvironmentName>,
    /// Whether it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<SubscriptionState>,
    /// When it was approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approved_at: Option<Timestamp>,
    /// Who approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approved_by: Option<String>,
    /// The original's; a subscription is to an API, whatever its version.
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    api_version: Option<String>,
}

pub(super) fn schema() -> Schema {
    envelope::schema::<ApplicationForm>(Kind::Application)
}

pub(super) fn read(context: &Context<'_>) -> Read {
    let EntityPath::Application { tenant, application: name } = context.path else {
        unreachable!("the path says the kind")
    };
    let envelope = context.envelope::<ApplicationForm>()?;
    let spec = envelope.spec;
    let secret = spec.oauth2.client_secret.as_deref();
    if secret.is_some_and(|text| text.parse::<domain::secret::SecretReference>().is_err()) {
        let error = domain::secret::SecretReferenceError.to_string();
        return Err(context.source.at("spec.oauth2.clientSecret", error));
    }
    let mut ignored = retired!(spec; status as "spec.status", webhooks as "spec.webhooks",
        metadata as "spec.metadata", oauth2.client_id as "spec.oauth2.clientId",
        oauth2.client_secret as "spec.oauth2.clientSecret");
    if let Some(index) = spec.subscriptions.iter().position(|it| it.api_version.is_some()) {
        ignored.push("spec.subscriptions.apiVersion");
        if context.form == super::Form::Current {
            let field = format!("spec.subscriptions[{index}].apiVersion");
            return Err(context.source.at(&field, "a subscription is to an API, whatever its version"));
        }
    }
    let limited = spec.rate_limiting.enabled != Some(false);
    let subscriptions = spec.subscriptions.into_iter().map(|it| Subscription {
        tenant: it.tenant.unwrap_or_else(|| tenant.clone()),
        api: it.api,
        plan: it.plan,
        environments: it.environments,
        state: it.state.unwrap_or(match it.approved_at {
            Some(_) => SubscriptionState::Approved,
            None => SubscriptionState::Pending,
        }),
        approved_by: it.approved_by,
        approved_at: it.approved_at,
    });
    let application = Application {
        tenant: tenant.clone(),
        name: name.clone(),
        uid: context.uid(envelope.metadata.uid),
        display_name: spec
            .display_name
            .or(envelope.metadata.display_name)
            .unwrap_or_else(|| name.to_string()),
        description: spec.description,
        owner: spec.owner.into(),
        grant_types: spec.oauth2.grant_types,
        redirect_uris: spec.oauth2.redirect_uris,
        scopes: spec.oauth2.scopes,
        limits: Limits {
            requests_per_minute: spec.rate_limiting.requests_per_minute.filter(|_| limited).map(|it| it.0),
            requests_per_day: spec.rate_limiting.daily_quota.filter(|_| limited).map(|it| it.0),
        },
        subscriptions: subscriptions.collect(),
    };
    Ok((Entity::Application(application), ignored))
}

pub(super) fn write(application: &Application) -> String {
    let metadata = Metadata {
        name: Some(application.name.to_string()),
        tenant: Some(application.tenant.to_string()),
        uid: Some(application.uid),
        ..Metadata::default()
    };
    let subscriptions = application.subscriptions.iter().map(|it| SubscriptionForm {
        tenant: Some(it.tenant.clone()),
        api: it.api.clone(),
        plan: it.plan.clone(),
        environments: it.environments.clone(),
        state: Some(it.state),
        approved_at: it.approved_at,
        approved_by: it.approved_by.clone(),
        api_version: None,
    });
    let spec = ApplicationForm {
        display_name: Some(application.display_name.clone()),
        description: application.description.clone(),
        owner: application.owner.clone().into(),
        oauth2: OAuth2Form {
            grant_types: application.grant_types.clone(),
            redirect_uris: application.redirect_uris.clone(),
            scopes: application.scopes.clone(),
            client_id: None,
            client_secret: None,
        },
        rate_limiting: LimitsForm {
            enabled: None,
            requests_per_minute: application.limits.requests_per_minute.as_ref().map(Number::from),
            daily_quota: application.limits.requests_per_day.as_ref().map(Number::from),
        },
        subscriptions: subscriptions.collect(),
        status: None,
        webhooks: None,
        metadata: None,
    };
    envelope::write(Kind::Application, metadata, spec)
}
