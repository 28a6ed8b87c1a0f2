//! `/v1/environments`.

mod get;
mod list;
mod view;

use actix_web::web::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list::list).service(get::get);
}
