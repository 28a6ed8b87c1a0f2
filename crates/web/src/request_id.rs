//! The id of a request, the caller's or a new one; the answer carries it.

use std::{
    fmt,
    future::{Ready, ready},
};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::{Payload, ServiceRequest},
    http::header::{HeaderName, HeaderValue},
};
use runtime::{Clock, Random};

use crate::{Kind, Problem};

/// The header of request and answer.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The caller's id if it is harmless, otherwise a new one.
    pub(crate) fn of(request: &ServiceRequest, clock: &dyn Clock, random: &dyn Random) -> Self {
        let given = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
        let id = given.filter(|id| is_harmless(id));
        Self(id.map_or_else(|| random.id(clock.now()).to_string(), str::to_owned))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("unprintable"))
    }
}

/// Ids end in logs and headers, so only plain ones are taken over.
fn is_harmless(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromRequest for RequestId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.extensions().get::<Self>().cloned();
        ready(id.ok_or_else(|| Problem::new(Kind::Internal, "the request has no id")))
    }
}
