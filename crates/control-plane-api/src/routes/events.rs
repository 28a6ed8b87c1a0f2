//! `/v1/events`: what happens in a tenant, as a stream and as history.

mod history;
mod stream;

use std::collections::BTreeSet;

use actix_web::web::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(stream::stream).service(history::history);
}

/// Which kinds of events somebody wants to see; all, if none is named.
#[derive(Clone, Debug, Default)]
struct Kinds(BTreeSet<String>);

impl Kinds {
    /// Of a list by commas.
    fn of(text: Option<&str>) -> Self {
        let names = text.unwrap_or_default().split(',').map(str::trim);
        Self(names.filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    fn contain(&self, kind: &str) -> bool {
        self.0.is_empty() || self.0.contains(kind)
    }
}
