//! A call's arguments to a request that can't leave its template.

mod body;
mod path;
mod plan;
mod style;

use url::Url;

pub(crate) use self::{
    body::{BodyKind, BodyPlan, BodyShape, PartPlan},
    path::PathTemplate,
    plan::{Location, ParameterPlan, Plan},
    style::{Encoding, Style},
};
use crate::tool::Method;

/// Why arguments don't make a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// An argument that the request can't do without.
    #[error("the argument `{argument}` is missing")]
    Missing { argument: String },
    /// A value that has no place in a request of this form.
    #[error("the argument `{argument}` {reason}")]
    Unfit { argument: String, reason: &'static str },
}

/// A body and its media type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The value of `Content-Type`.
    pub content_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A request without the address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Its path, percent-encoded, beginning with `/`.
    pub path: String,
    /// Its query, percent-encoded, without `?`.
    pub query: Option<String>,
    /// Its headers, cookies among them.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Option<Body>,
}

/// Why a request doesn't fit a server's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// An address that nothing can be appended to.
    #[error("`{0}` can't be the address of an API")]
    Base(Url),
    /// A path that led out of the address; the request is not sent.
    #[error("the request would leave `{0}`")]
    Escapes(Url),
}

impl Request {
    /// The whole address on the server at `base`, whose own path stays in front.
    ///
    /// Parsing normalises an address, so what was checked before is checked again on the result: same origin, same
    /// path as written.
    pub fn url(&self, base: &Url) -> Result<Url, UrlError> {
        if base.cannot_be_a_base() || base.host_str().is_none() {
            return Err(UrlError::Base(base.clone()));
        }
        let prefix = base.path().trim_end_matches('/');
        let wanted = format!("{prefix}{}", self.path);
        let mut url = base.clone();
        url.set_fragment(None);
        url.set_path(&wanted);
        url.set_query(self.query.as_deref());
        if url.origin() != base.origin() || url.path() != wanted {
            return Err(UrlError::Escapes(base.clone()));
        }
        Ok(url)
    }
}
