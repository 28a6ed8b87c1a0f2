//! `GET /v1/environments/{environment}/gateways/{gateway}`.

use actix_web::{HttpResponse, get as http_get, http::header::ETAG, web::Path};
use domain::entity::EntityPath;
use web::{AuthorizedAnywhere, Kind, Problem, etag, etag::IfNoneMatch, permission::ApisRead};

use super::{names, view::GatewayView};
use crate::routes::{name, snapshot::Snapshot};

#[http_get("/environments/{environment}/gateways/{gateway}")]
pub(super) async fn get(
    _: AuthorizedAnywhere<ApisRead>,
    path: Path<(String, String)>,
    snapshot: Snapshot,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    let (environment, gateway) = names(path.into_inner())?;
    name::environment(&snapshot, &environment)?;
    let found = snapshot.effective().gateway(&environment, &gateway).ok_or_else(|| {
        let detail = format!("environment `{environment}` has no gateway `{gateway}`");
        Problem::new(Kind::GatewayNotFound, detail)
    })?;
    let tag = snapshot.etag(&EntityPath::Gateway { environment: environment.clone(), gateway });
    let mut response = HttpResponse::Ok();
    if let Some(tag) = &tag {
        if known.has(tag) {
            return Ok(HttpResponse::NotModified().insert_header((ETAG, etag::of(tag))).finish());
        }
        response.insert_header((ETAG, etag::of(tag)));
    }
    Ok(response.json(GatewayView::of(&snapshot, found)))
}
