//! `GET /v1/tenants/{tenant}/apis/{api}`: by name or by uid.

use actix_web::{HttpResponse, get as http_get, http::header::ETAG, web::Path};
use domain::{entity::EntityPath, name::TenantName};
use web::{Authorized, Kind, Problem, etag, etag::IfNoneMatch, permission::ApisRead};

use super::view::ApiView;
use crate::routes::{name, snapshot::Snapshot};

#[http_get("/{api}")]
pub(super) async fn get(
    _: Authorized<ApisRead>,
    path: Path<(TenantName, String)>,
    snapshot: Snapshot,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let (tenant, segment) = path.into_inner();
    name::tenant(&snapshot, &tenant)?;
    let api = name::api(&snapshot, &tenant, &segment)?;
    let missing = || Problem::new(Kind::ApiNotFound, format!("tenant `{tenant}` has no API `{api}`"));
    let found = snapshot.api(&tenant, &api).ok_or_else(missing)?;
    let tag = snapshot.etag(&EntityPath::Api { tenant: tenant.clone(), api: api.clone() });
    let mut response = HttpResponse::Ok();
    if let Some(tag) = &tag {
        if known.has(tag) {
            return Ok(HttpResponse::NotModified().insert_header((ETAG, etag::of(tag))).finish());
        }
        response.insert_header((ETAG, etag::of(tag)));
    }
    Ok(response.json(ApiView::of(&snapshot, found)))
}
