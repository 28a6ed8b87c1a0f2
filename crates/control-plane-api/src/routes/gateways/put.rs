//! `PUT /v1/environments/{environment}/gateways/{gateway}`: declares it, or replaces it under a condition.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    put as http_put,
    web::{Data, Path},
};
use domain::entity::{Entity, Gateway, GatewayKind, WebMethods};
use serde::Deserialize;
use web::{
    Authorized, Json, Kind, Problem,
    etag::{IfMatch, IfNoneMatch},
    permission::TenantsUpdate,
};

use super::{
    names,
    view::{GatewayType, GatewayView, WebMethodsBody},
};
use crate::{
    commands::Precondition,
    routes::{
        State,
        committed::committed,
        condition::needed,
        once::origin,
        snapshot::{Snapshot, Wait},
    },
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    display_name: Option<String>,
    #[serde(default)]
    description: String,
    r#type: GatewayType,
    address: String,
    webmethods: Option<WebMethodsBody>,
}

/// Gateways belong to the platform, so only its administrators change them.
#[http_put("/environments/{environment}/gateways/{gateway}")]
pub(super) async fn put(
    caller: Authorized<TenantsUpdate>,
    path: Path<(String, String)>,
    (replaces, creates): (IfMatch, IfNoneMatch),
    snapshot: Snapshot,
    Json(body): Json<Body>,
    wait: Wait,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let (environment, name) = names(path.into_inner())?;
    let there = snapshot.has_gateway(&environment, &name);
    // Who knows of it says which version he knows; at the head of the branch, that is checked again.
    let conditional = needed(&replaces).is_ok();
    if there && !conditional {
        creates.check(snapshot.etag(&path_of(&environment, &name)).as_ref())?;
        needed(&replaces)?;
    }
    let gateway = Gateway {
        environment,
        display_name: body.display_name.unwrap_or_else(|| name.to_string()),
        name,
        description: body.description,
        kind: gateway_kind(body.r#type, body.webmethods)?,
        address: body.address,
    };
    let precondition = Precondition::new(move |current| {
        let wanted = if conditional { replaces.check(current).is_ok() } else { current.is_none() };
        wanted && creates.check(current).is_ok()
    });
    let done = state.commands.put_gateway(&origin(&state, caller.principal()), gateway, precondition).await?;
    let view = match done.entity() {
        Some(Entity::Gateway(gateway)) => Some(GatewayView::of(&done.state, gateway)),
        _ => None,
    };
    let status = if there { StatusCode::OK } else { StatusCode::CREATED };
    Ok(committed(&state, &done, wait, status, None, view.as_ref()).await)
}

fn path_of(
    environment: &domain::name::EnvironmentName,
    gateway: &domain::name::GatewayName,
) -> domain::entity::EntityPath {
    domain::entity::EntityPath::Gateway { environment: environment.clone(), gateway: gateway.clone() }
}

fn gateway_kind(r#type: GatewayType, webmethods: Option<WebMethodsBody>) -> Result<GatewayKind, Problem> {
    let wrong = |detail: &str| Problem::new(Kind::InvalidBody, detail).member("field", "webmethods");
    match (r#type, webmethods) {
        (GatewayType::Builtin, None) => Ok(GatewayKind::Builtin),
        (GatewayType::Builtin, Some(_)) => Err(wrong("a built-in gateway has none")),
        (GatewayType::WebMethods, None) => Err(wrong("a webmethods gateway needs it")),
        (GatewayType::WebMethods, Some(it)) => {
            let inline = |error: domain::secret::SecretReferenceError| {
                Problem::new(Kind::InlineSecret, error.to_string()).member("field", "webmethods.credentials")
            };
            Ok(GatewayKind::WebMethods(WebMethods {
                credentials: it.credentials.parse().map_err(inline)?,
                admin_url: it.admin_url,
                auth_server_alias: it.auth_server_alias,
            }))
        }
    }
}
