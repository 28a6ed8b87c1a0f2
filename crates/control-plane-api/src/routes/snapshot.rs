//! The state that a request is answered from, and how long its caller wants to wait for a newer one.

use std::{
    future::{Ready, ready},
    ops::Deref,
    sync::Arc,
    time::Duration,
};

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload, web::Data};
use domain::id::CommitId;
use futures_util::future::LocalBoxFuture;
use web::{Kind, Problem};

use super::{State, around::AnsweredAt};
use crate::desired::Desired;

/// The header that names the commit to wait for.
const WAIT_FOR: &str = "stoa-wait-for";

/// How long a request waits for a commit unless it says otherwise.
const USUAL: Duration = Duration::from_secs(10);

/// How long a request may wait, whatever it says: less than the server gives it.
const LONGEST: Duration = Duration::from_secs(25);

/// The desired state, at or after the commit that the caller asks for.
#[derive(Clone, Debug)]
pub(super) struct Snapshot(Arc<Desired>);

impl Deref for Snapshot {
    type Target = Desired;

    fn deref(&self) -> &Desired {
        &self.0
    }
}

impl FromRequest for Snapshot {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let state = state(&request)?;
            let snapshot = match wanted(&request)? {
                None => state.desired.load(),
                Some(commit) => {
                    let within = Wait::of(&request).0.unwrap_or(USUAL);
                    state.desired.wait_for(&commit, within).await.map_err(|error| {
                        Problem::new(Kind::CommitNotReached, error.to_string()).retry_after(1)
                    })?
                }
            };
            request.extensions_mut().insert(AnsweredAt(snapshot.commit().cloned()));
            Ok(Self(snapshot))
        })
    }
}

fn state(request: &HttpRequest) -> Result<&State, Problem> {
    let state = request.app_data::<Data<State>>().map(|data| &***data);
    state.ok_or_else(|| Problem::new(Kind::Internal, "the service has no state"))
}

fn wanted(request: &HttpRequest) -> Result<Option<CommitId>, Problem> {
    let Some(value) = request.headers().get(WAIT_FOR) else { return Ok(None) };
    let commit = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    let malformed = || Problem::new(Kind::BadRequest, "`Stoa-Wait-For` is not a full commit id");
    commit.map(Some).ok_or_else(malformed)
}

/// How long the caller would wait, by `Prefer: wait=<seconds>` (RFC 7240).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait(pub(super) Option<Duration>);

impl Wait {
    fn of(request: &HttpRequest) -> Self {
        let values = request.headers().get_all("prefer").filter_map(|value| value.to_str().ok());
        let seconds = values.flat_map(|value| value.split(',')).find_map(|preference| {
            let (name, value) = preference.trim().split_once('=')?;
            name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().parse().ok())?
        });
        Self(seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST)))
    }
}

impl FromRequest for Wait {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_preference_is_read_and_bounded() {
        let of = |value: &str| {
            Wait::of(&TestRequest::default().insert_header(("prefer", value)).to_http_request()).0
        };
        assert_eq!(of("wait=5"), Some(Duration::from_secs(5)));
        assert_eq!(of("respond-async, Wait = 600"), Some(LONGEST));
        assert_eq!(of("return=minimal"), None);
        assert_eq!(of("wait=soon"), None);
    }
}
