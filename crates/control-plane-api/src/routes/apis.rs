//! `/v1/tenants/{tenant}/apis`.

mod body;
mod create;
mod delete;
mod get;
mod list;
mod openapi;
mod update;
mod view;

use actix_web::web::{ServiceConfig, scope};
use events::limits;
use web::BodyLimit;

/// A document inside JSON text, where line breaks and quotes take two bytes.
const BODY: BodyLimit = BodyLimit(2 * limits::DOCUMENT + (1 << 20));

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(
        scope("/tenants/{tenant}/apis")
            .app_data(BODY)
            .service(list::list)
            .service(create::create)
            .service(openapi::get)
            .service(openapi::put)
            .service(get::get)
            .service(update::update)
            .service(delete::delete),
    );
}
