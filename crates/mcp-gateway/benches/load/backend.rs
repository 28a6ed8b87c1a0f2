//! A backend that costs little: one thread, one answer, nothing around it.

use std::net::SocketAddr;

use actix_web::{App, HttpResponse, HttpServer, web::get};
use runtime::Lifecycle;

pub(crate) fn start(lifecycle: &Lifecycle) -> SocketAddr {
    let server = HttpServer::new(|| App::new().route("/base/pets/1", get().to(pet)));
    let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).expect("a port");
    let address = server.addrs()[0];
    lifecycle.spawn("bench-backend", server.run());
    address
}

async fn pet() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(r#"{"id":"1","name":"Rex"}"#)
}
