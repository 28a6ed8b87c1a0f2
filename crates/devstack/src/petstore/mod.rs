//! The sample backend: a pet store with state, and the OpenAPI 3.1 document that describes it.

mod handlers;
mod pet;
mod store;

use std::net::TcpListener;

use actix_web::web::Data;

use self::store::Store;
use crate::local::{self, Local};

/// The document, in YAML, as the backend serves it.
pub const OPENAPI: &str = include_str!("openapi.yaml");

/// Serves the pet store on `listener`, which must be bound to loopback.
pub fn serve(listener: TcpListener) -> Result<Local, local::Error> {
    let store = Data::new(Store::with_samples());
    Local::bind("sample backend", listener, move |routes| {
        handlers::routes(routes.app_data(store.clone()));
    })
}
