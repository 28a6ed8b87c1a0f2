//! `kind: Gateway`.

use domain::{
    entity::{Entity, EntityPath, Gateway, GatewayKind, Kind, WebMethods},
    secret::SecretReference,
};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{
    envelope::{self, Context, Metadata, Read},
    value::{check_http_url, is_default},
};

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GatewayForm {
    /// Name for people.
    #[serde(default)]
    display_name: Option<String>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "is_default")]
    description: String,
    /// Which kind it is.
    r#type: GatewayType,
    /// Where callers reach it.
    address: String,
    /// How a webMethods gateway is administered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    webmethods: Option<WebMethodsForm>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum GatewayType {
    Builtin,
    WebMethods,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WebMethodsForm {
    /// Address of its administration.
    admin_url: String,
    /// The secret that signs in there.
    credentials: SecretReference,
    /// Its alias of the token issuer.
    #[serde(default = "usual_alias")]
    auth_server_alias: String,
}

fn usual_alias() -> String {
    "KeycloakOIDC".to_owned()
}

pub(super) fn schema() -> Schema {
    envelope::schema::<GatewayForm>(Kind::Gateway)
}

pub(super) fn read(context: &Context<'_>) -> Read {
    let EntityPath::Gateway { environment, gateway: name } = context.path else {
        unreachable!("the path says the kind")
    };
    let envelope = context.envelope::<GatewayForm>()?;
    let spec = envelope.spec;
    check_http_url(&spec.address).map_err(|error| context.source.at("spec.address", error))?;
    let kind = match (spec.r#type, spec.webmethods) {
        (GatewayType::Builtin, None) => GatewayKind::Builtin,
        (GatewayType::Builtin, Some(_)) => {
            return Err(context.source.at("spec.webmethods", "a built-in gateway has none"));
        }
        (GatewayType::WebMethods, None) => {
            return Err(context.source.at("spec.type", "a webmethods gateway needs `webmethods` beside it"));
        }
        (GatewayType::WebMethods, Some(it)) => {
            check_http_url(&it.admin_url)
                .map_err(|error| context.source.at("spec.webmethods.adminUrl", error))?;
            GatewayKind::WebMethods(WebMethods {
                admin_url: it.admin_url,
                credentials: it.credentials,
                auth_server_alias: it.auth_server_alias,
            })
        }
    };
    let gateway = Gateway {
        environment: environment.clone(),
        name: name.clone(),
        display_name: spec
            .display_name
            .or(envelope.metadata.display_name)
            .unwrap_or_else(|| name.to_string()),
        description: spec.description,
        kind,
        address: spec.address,
    };
    Ok((Entity::Gateway(gateway), Vec::new()))
}

pub(super) fn write(gateway: &Gateway) -> String {
    let metadata = Metadata {
        name: Some(gateway.name.to_string()),
        environment: Some(gateway.environment.to_string()),
        ..Metadata::default()
    };
    let (r#type, webmethods) = match &gateway.kind {
        GatewayKind::Builtin => (GatewayType::Builtin, None),
        GatewayKind::WebMethods(it) => (
            GatewayType::WebMethods,
            Some(WebMethodsForm {
                admin_url: it.admin_url.clone(),
                credentials: it.credentials.clone(),
                auth_server_alias: it.auth_server_alias.clone(),
            }),
        ),
    };
    let spec = GatewayForm {
        display_name: Some(gateway.display_name.clone()),
        description: gateway.description.clone(),
        r#type,
        address: gateway.address.clone(),
        webmethods,
    };
    envelope::write(Kind::Gateway, metadata, spec)
}
