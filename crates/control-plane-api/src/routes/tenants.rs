//! `/v1/tenants`.

mod create;
mod delete;
mod get;
mod list;
mod update;
mod view;

use actix_web::web::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(list::list)
        .service(create::create)
        .service(get::get)
        .service(update::update)
        .service(delete::delete);
}
