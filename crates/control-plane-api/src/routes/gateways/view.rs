//! A gateway as the API shows it.

use domain::entity::{EntityPath, Gateway, GatewayKind, WebMethods};
use gitops::DocumentError;
use serde::{Deserialize, Serialize};

use crate::desired::Desired;

#[derive(Debug, Serialize)]
pub(super) struct GatewayView {
    id: String,
    environment: String,
    display_name: String,
    description: String,
    r#type: GatewayType,
    address: String,
    webmethods: Option<WebMethodsBody>,
    problems: Vec<DocumentError>,
}

/// What a gateway is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum GatewayType {
    Builtin,
    WebMethods,
}

/// How a webMethods API Gateway is administered; its credentials are a reference.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebMethodsBody {
    pub(super) admin_url: String,
    pub(super) credentials: String,
    #[serde(default = "usual_alias")]
    pub(super) auth_server_alias: String,
}

fn usual_alias() -> String {
    "KeycloakOIDC".to_owned()
}

impl From<&WebMethods> for WebMethodsBody {
    fn from(it: &WebMethods) -> Self {
        Self {
            admin_url: it.admin_url.clone(),
            credentials: it.credentials.to_string(),
            auth_server_alias: it.auth_server_alias.clone(),
        }
    }
}

impl GatewayView {
    pub(super) fn of(state: &Desired, gateway: &Gateway) -> Self {
        let path =
            EntityPath::Gateway { environment: gateway.environment.clone(), gateway: gateway.name.clone() };
        let (r#type, webmethods) = match &gateway.kind {
            GatewayKind::Builtin => (GatewayType::Builtin, None),
            GatewayKind::WebMethods(it) => (GatewayType::WebMethods, Some(it.into())),
        };
        Self {
            id: gateway.name.to_string(),
            environment: gateway.environment.to_string(),
            display_name: gateway.display_name.clone(),
            description: gateway.description.clone(),
            r#type,
            address: gateway.address.clone(),
            webmethods,
            problems: state.problems(&path).cloned().collect(),
        }
    }
}
