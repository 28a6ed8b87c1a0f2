//! The issuer: its key, its people, and its address.

use std::{net::TcpListener, sync::Arc};

use actix_web::web::Data;
use runtime::{Clock, Random};

use super::{Key, People, handlers};
use crate::local::{self, Local};

/// The issuer of one platform.
#[derive(Debug)]
pub struct Issuer {
    pub(super) key: Key,
    pub(super) people: People,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
}

/// The issuer with the address that its tokens name.
pub(super) struct Addressed {
    pub issuer: Issuer,
    pub base: String,
}

impl Issuer {
    /// An issuer that signs with `key` for `people`.
    #[must_use]
    pub fn new(key: Key, people: People, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { key, people, clock, random }
    }

    /// Serves discovery, keys and tokens on `listener`, which must be bound to loopback.
    pub fn serve(self, listener: TcpListener) -> Result<Local, local::Error> {
        let base = listener.local_addr().map(|address| format!("http://{address}")).unwrap_or_default();
        let addressed = Data::new(Addressed { issuer: self, base });
        Local::bind("token issuer", listener, move |routes| {
            handlers::routes(routes.app_data(addressed.clone()));
        })
    }
}
