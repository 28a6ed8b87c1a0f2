//! `kind: API`.

use std::collections::BTreeSet;

use domain::{
    entity::{
        Api, Authentication, Backend, Entity, EntityPath, GatewayOptions, HealthCheck, Kind, Policies,
        Retries,
    },
    variable::Templated,
};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{
    Form,
    envelope::{self, Context, Metadata, Read},
    error::DocumentError,
    policies::PoliciesForm,
    value::{Number, Retired, check_http_url, is_default, retired},
};

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ApiForm {
    /// Name for people.
    #[serde(default)]
    display_name: Option<String>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "is_default")]
    description: String,
    /// Where the catalogue lists it.
    #[serde(default, skip_serializing_if = "is_default")]
    category: String,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "is_default")]
    tags: BTreeSet<String>,
    /// What answers the calls.
    backend: BackendForm,
    /// How callers prove who they are; OAuth 2 if nothing is said.
    #[serde(default)]
    authentication: Option<AuthenticationForm>,
    /// Limits and rules of the gateways.
    #[serde(default, skip_serializing_if = "is_default")]
    policies: PoliciesForm,
    /// How gateways serve it.
    #[serde(default, skip_serializing_if = "is_default")]
    gateway: GatewayForm,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    status: Option<Retired>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    monitoring: Option<Retired>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    deployments: Option<Retired>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BackendForm {
    /// Its address, http or https; variables may stand in it.
    url: String,
    /// Seconds to wait for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<Number>,
    /// Repeats of calls that failed and may be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retries: Option<RetriesForm>,
    /// How to ask whether it is alive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    health_check: Option<HealthCheckForm>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RetriesForm {
    /// How often at most.
    count: Number,
    /// Milliseconds between two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delay: Option<Number>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HealthCheckForm {
    /// Whether it is done at all.
    #[serde(default, skip_serializing)]
    enabled: Option<bool>,
    /// The path to ask.
    path: String,
    /// Seconds between two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    interval: Option<Number>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum AuthenticationType {
    None,
    OAuth2,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AuthenticationForm {
    /// `none` opens the API to everybody.
    r#type: AuthenticationType,
    /// What a token must hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    oauth2: Option<OAuth2Form>,
}

#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct OAuth2Form {
    /// Scopes that a call needs.
    scopes: BTreeSet<String>,
    #[serde(skip_serializing)]
    #[schemars(skip)]
    token_endpoint: Option<Retired>,
    #[serde(skip_serializing)]
    #[schemars(skip)]
    client_id: Option<Retired>,
    #[serde(skip_serializing)]
    #[schemars(skip)]
    client_secret: Option<Retired>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct GatewayForm {
    /// Path before those of the document, instead of `/{tenant}/{api}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    base_path: Option<String>,
    /// Whether the backend is asked without that path.
    strip_base_path: bool,
    /// Whether its operations are tools for agents.
    tools: bool,
    #[serde(skip_serializing)]
    #[schemars(skip)]
    protocols: Option<Retired>,
}

impl Default for GatewayForm {
    fn default() -> Self {
        GatewayOptions::default().into()
    }
}

impl PartialEq for GatewayForm {
    fn eq(&self, other: &Self) -> bool {
        (&self.base_path, self.strip_base_path, self.tools)
            == (&other.base_path, other.strip_base_path, other.tools)
    }
}

impl From<GatewayOptions> for GatewayForm {
    fn from(it: GatewayOptions) -> Self {
        Self {
            base_path: it.base_path,
            strip_base_path: it.strip_base_path,
            tools: it.tools,
            protocols: None,
        }
    }
}

/// The original's flat `api.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlatForm {
    name: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    description: String,
    backend_url: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    tags: BTreeSet<String>,
    #[serde(default)]
    status: Option<Retired>,
    #[serde(default)]
    deployments: Option<Retired>,
    #[serde(default)]
    gateways: Option<Retired>,
    #[serde(default)]
    audience: Option<Retired>,
    #[serde(default)]
    created_at: Option<Retired>,
    #[serde(default)]
    updated_at: Option<Retired>,
    #[serde(default)]
    openapi_spec: Option<Retired>,
}

pub(super) fn schema() -> Schema {
    envelope::schema::<ApiForm>(Kind::Api)
}

pub(super) fn read(context: &Context<'_>) -> Read {
    let EntityPath::Api { tenant, api: name } = context.path else { unreachable!("the path says the kind") };
    let (api, ignored) = if context.form == Form::Flat {
        let form: FlatForm = context.source.decode()?;
        context.agree("name", Some(&form.name), Some(name.as_str()))?;
        check_http_url(&form.backend_url).map_err(|error| context.source.at("backend_url", error))?;
        let ignored = retired!(form; status as "status", deployments as "deployments", gateways as "gateways",
            audience as "audience", created_at as "created_at", updated_at as "updated_at",
            openapi_spec as "openapi_spec");
        let api = Api {
            tenant: tenant.clone(),
            name: name.clone(),
            uid: context.uid(form.id.as_deref().and_then(|id| id.parse().ok())),
            display_name: form.display_name.unwrap_or_else(|| name.to_string()),
            version: form.version.unwrap_or_else(|| "1.0.0".to_owned()),
            description: form.description,
            category: form.category,
            tags: form.tags,
            backend: Backend::at(form.backend_url),
            authentication: Authentication::default(),
            policies: Policies::default(),
            gateway: GatewayOptions::default(),
        };
        (api, ignored)
    } else {
        from_envelope(context)?
    };
    Ok((Entity::Api(api), ignored))
}

fn from_envelope(context: &Context<'_>) -> Result<(Api, Vec<&'static str>), DocumentError> {
    let EntityPath::Api { tenant, api: name } = context.path else { unreachable!("the path says the kind") };
    let envelope: envelope::Envelope<ApiForm> = context.envelope()?;
    let (metadata, spec) = (envelope.metadata, envelope.spec);
    check_http_url(&spec.backend.url).map_err(|error| context.source.at("spec.backend.url", error))?;
    let mut ignored = retired!(spec; status as "spec.status", monitoring as "spec.monitoring",
        deployments as "spec.deployments", gateway.protocols as "spec.gateway.protocols");
    let authentication = match spec.authentication {
        None => Authentication::default(),
        Some(AuthenticationForm { r#type: AuthenticationType::None, .. }) => Authentication::None,
        Some(AuthenticationForm { oauth2, .. }) => {
            let form = oauth2.unwrap_or_default();
            ignored.extend(retired!(form; token_endpoint as "spec.authentication.oauth2.tokenEndpoint",
                client_id as "spec.authentication.oauth2.clientId",
                client_secret as "spec.authentication.oauth2.clientSecret"));
            Authentication::OAuth2 { scopes: form.scopes }
        }
    };
    let backend = spec.backend;
    let api = Api {
        tenant: tenant.clone(),
        name: name.clone(),
        uid: context.uid(metadata.uid),
        display_name: spec.display_name.or(metadata.display_name).unwrap_or_else(|| name.to_string()),
        version: metadata.version.unwrap_or_else(|| "1.0.0".to_owned()),
        description: Some(spec.description)
            .filter(|text| !text.is_empty())
            .or(metadata.description)
            .unwrap_or_default(),
        category: spec.category,
        tags: spec.tags,
        backend: Backend {
            url: backend.url,
            timeout_seconds: backend.timeout.map_or(Templated::Literal(30), |number| number.0),
            retries: backend.retries.map(|it| Retries {
                count: it.count.0,
                delay_milliseconds: it.delay.map_or(Templated::Literal(1000), |number| number.0),
            }),
            health_check: backend.health_check.filter(|it| it.enabled != Some(false)).map(|it| HealthCheck {
                path: it.path,
                interval_seconds: it.interval.map_or(Templated::Literal(30), |number| number.0),
            }),
        },
        authentication,
        policies: spec.policies.into(),
        gateway: GatewayOptions {
            base_path: spec.gateway.base_path,
            strip_base_path: spec.gateway.strip_base_path,
            tools: spec.gateway.tools,
        },
    };
    Ok((api, ignored))
}

pub(super) fn write(api: &Api) -> String {
    let metadata = Metadata {
        name: Some(api.name.to_string()),
        tenant: Some(api.tenant.to_string()),
        uid: Some(api.uid),
        version: Some(api.version.clone()),
        ..Metadata::default()
    };
    let authentication = match &api.authentication {
        Authentication::None => AuthenticationForm { r#type: AuthenticationType::None, oauth2: None },
        Authentication::OAuth2 { scopes } => AuthenticationForm {
            r#type: AuthenticationType::OAuth2,
            oauth2: Some(OAuth2Form { scopes: scopes.clone(), ..OAuth2Form::default() }),
        },
    };
    let backend = &api.backend;
    let spec = ApiForm {
        display_name: Some(api.display_name.clone()),
        description: api.description.clone(),
        category: api.category.clone(),
        tags: api.tags.clone(),
        backend: BackendForm {
            url: backend.url.clone(),
            timeout: Some((&backend.timeout_seconds).into()),
            retries: backend.retries.as_ref().map(|it| RetriesForm {
                count: (&it.count).into(),
                delay: Some((&it.delay_milliseconds).into()),
            }),
            health_check: backend.health_check.as_ref().map(|it| HealthCheckForm {
                enabled: None,
                path: it.path.clone(),
                interval: Some((&it.interval_seconds).into()),
            }),
        },
        authentication: Some(authentication),
        policies: (&api.policies).into(),
        gateway: api.gateway.clone().into(),
        status: None,
        monitoring: None,
        deployments: None,
    };
    envelope::write(Kind::Api, metadata, spec)
}
