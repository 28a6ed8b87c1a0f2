//! Routes that every service has: health, metrics, and the pages of problems.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse, get,
    web::{Data, Path, ServiceConfig},
};
use runtime::{Metrics, Readiness};
use serde_json::json;

use crate::{Kind, Problem};

/// What these routes report on.
#[derive(Debug)]
pub(super) struct Health {
    pub(super) readiness: Readiness,
    pub(super) metrics: Metrics,
}

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(summary).service(live).service(ready).service(metrics).service(page);
}

/// The form of the original platform.
#[get("/health")]
async fn summary(health: Data<Health>) -> HttpResponse {
    let status = if health.readiness.is_ready() { "healthy" } else { "degraded" };
    HttpResponse::Ok().json(json!({ "status": status, "version": env!("CARGO_PKG_VERSION") }))
}

/// The process runs.
#[get("/health/live")]
async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "alive" }))
}

/// The service can do its work; if not, the gates say why.
#[get("/health/ready")]
async fn ready(health: Data<Health>) -> HttpResponse {
    let gates: BTreeMap<_, _> = health.readiness.report().into_iter().collect();
    if health.readiness.is_ready() {
        HttpResponse::Ok().json(json!({ "status": "ready", "gates": gates }))
    } else {
        HttpResponse::ServiceUnavailable().json(json!({ "status": "not-ready", "gates": gates }))
    }
}

#[get("/metrics")]
async fn metrics(health: Data<Health>) -> HttpResponse {
    let form = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    HttpResponse::Ok().content_type(form).body(health.metrics.encode())
}

/// Where the `type` of a problem points.
#[get("/errors/{slug}")]
async fn page(slug: Path<String>) -> Result<HttpResponse, Problem> {
    let kind = Kind::ALL.iter().find(|kind| kind.slug() == slug.as_str());
    let kind = kind.ok_or_else(|| Problem::new(Kind::NotFound, "there is no such problem"))?;
    Ok(HttpResponse::Ok().content_type("text/markdown; charset=utf-8").body(kind.page()))
}
