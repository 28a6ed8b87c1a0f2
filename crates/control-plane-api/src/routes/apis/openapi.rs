//! `GET` and `PUT /v1/tenants/{tenant}/apis/{api}/openapi`: the document as it was written.

use actix_web::{
    HttpResponse, get as http_get,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, ETAG},
    },
    put as http_put,
    web::{Data, Path},
};
use domain::{
    entity::{Entity, EntityPath},
    name::TenantName,
};
use web::{
    Authorized, Kind, Problem, Raw, etag,
    etag::{IfMatch, IfNoneMatch},
    permission::{ApisRead, ApisUpdate},
};

use super::view::ApiView;
use crate::{
    commands::{ApiChange, OpenApiText, media_type},
    routes::{
        State,
        committed::committed,
        condition::{needed, precondition},
        name,
        once::origin,
        snapshot::{Snapshot, Wait},
    },
};

#[http_get("/{api}/openapi")]
pub(super) async fn get(
    _: Authorized<ApisRead>,
    path: Path<(TenantName, String)>,
    snapshot: Snapshot,
    known: IfNoneMatch,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let (tenant, segment) = path.into_inner();
    name::tenant(&snapshot, &tenant)?;
    let api = name::api(&snapshot, &tenant, &segment)?;
    let missing = || Problem::new(Kind::ApiNotFound, format!("tenant `{tenant}` has no API `{api}`"));
    let path = EntityPath::Api { tenant: tenant.clone(), api: api.clone() };
    let document = snapshot.get(&path).and_then(|it| it.openapi.clone()).ok_or_else(missing)?;
    // The same tag as the API's own: a change of the document is a change of the API.
    let tag = snapshot.etag(&path);
    if let Some(tag) = tag.as_ref().filter(|tag| known.has(tag)) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, etag::of(tag))).finish());
    }
    let blob = document.origin.blob;
    let read = state.repository.blocking(move |repository| repository.read(&blob)).await;
    let text = read.map_err(|error| Problem::unavailable("the repository", &error, 5))?;
    let mut response = HttpResponse::Ok();
    if let Some(tag) = &tag {
        response.insert_header((ETAG, etag::of(tag)));
    }
    let json = document.path.ends_with(".json");
    Ok(response.insert_header((CONTENT_TYPE, media_type(json))).body(text))
}

#[http_put("/{api}/openapi")]
pub(super) async fn put(
    caller: Authorized<ApisUpdate>,
    path: Path<(TenantName, String)>,
    condition: IfMatch,
    snapshot: Snapshot,
    Raw(body): Raw,
    wait: Wait,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    needed(&condition)?;
    let (tenant, segment) = path.into_inner();
    let api = name::api(&snapshot, &tenant, &segment)?;
    let openapi = OpenApiText::check(body.to_vec()).await?;
    let change = ApiChange { openapi: Some(openapi), ..ApiChange::default() };
    let origin = origin(&state, caller.principal());
    let done = state.commands.change_api(&origin, tenant, api, change, precondition(condition)).await?;
    let view = match done.entity() {
        Some(Entity::Api(api)) => Some(ApiView::of(&done.state, api)),
        _ => None,
    };
    Ok(committed(&state, &done, wait, StatusCode::OK, None, view.as_ref()).await)
}
