//! `GET /v1/tenants/{tenant}`.

use actix_web::{HttpResponse, get as http_get, http::header::ETAG, web::Path};
use domain::{entity::EntityPath, name::TenantName};
use web::{Authorized, Kind, Problem, etag, etag::IfNoneMatch, permission::TenantsRead};

use super::view::TenantView;
use crate::routes::snapshot::Snapshot;

#[http_get("/tenants/{tenant}")]
pub(super) async fn get(
    _: Authorized<TenantsRead>,
    tenant: Path<TenantName>,
    snapshot: Snapshot,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let missing = || Problem::new(Kind::TenantNotFound, format!("there is no tenant `{tenant}`"));
    let found = snapshot.tenant(&tenant).ok_or_else(missing)?;
    let tag = snapshot.etag(&EntityPath::Tenant { tenant: found.name.clone() });
    let mut response = HttpResponse::Ok();
    if let Some(tag) = &tag {
        if known.has(tag) {
            return Ok(HttpResponse::NotModified().insert_header((ETAG, etag::of(tag))).finish());
        }
        response.insert_header((ETAG, etag::of(tag)));
    }
    Ok(response.json(TenantView::of(&snapshot, found)))
}
