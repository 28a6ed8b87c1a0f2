//! `/v1/tenants/{tenant}/requests`: requests that came by topic.

mod get;

use actix_web::web::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(get::get);
}
