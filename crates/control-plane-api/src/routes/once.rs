//! `Idempotency-Key`: a repeat of a request gets the answer of the first, and has no second effect.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, ResponseError as _,
    body::to_bytes,
    dev::Payload,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use domain::{
    id::{Digest, derived_id},
    rbac::Principal,
};
use serde::Serialize;
use web::{Kind, Problem};

use super::State;
use crate::{
    commands::{Actor, Origin},
    store::{self, Begun, Scope, StoredAnswer, WantedSync},
};

const KEY: &str = "idempotency-key";

/// Marks an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The key that the caller gave the request, with the route that it is for.
#[derive(Clone, Debug)]
pub(super) struct Key {
    route: String,
    key: Option<String>,
}

impl FromRequest for Key {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let route = format!("{} {}", request.method(), request.path());
        let Some(value) = request.headers().get(KEY) else { return ready(Ok(Self { route, key: None })) };
        let key = value.to_str().ok().map(str::trim).filter(|key| (1..=255).contains(&key.len()));
        let invalid =
            || Problem::new(Kind::BadRequest, "`Idempotency-Key` has 1 to 255 printable characters");
        ready(key.map(|key| Self { route, key: Some(key.to_owned()) }).ok_or_else(invalid))
    }
}

/// The origin of a write without a key: nobody repeats it.
pub(super) fn origin(state: &State, caller: &Principal) -> Origin {
    let id = state.random.id(state.clock.now());
    Origin { actor: Actor::principal(caller), request: format!("rest/{id}"), resumed: false }
}

/// What a request came to.
pub(super) struct Answer {
    response: HttpResponse,
    /// What stands in the outbox from the moment at which the answer is given.
    sync: Option<WantedSync>,
}

impl From<HttpResponse> for Answer {
    fn from(response: HttpResponse) -> Self {
        Self { response, sync: None }
    }
}

impl Answer {
    /// An answer that promises what `sync` wants, if anything.
    pub(super) fn promising(response: HttpResponse, sync: Option<WantedSync>) -> Self {
        Self { response, sync }
    }
}

/// Does `work` once per key. The outbox gets what an answer promises in the transaction that keeps the answer.
///
/// An answer is kept unless it says that something failed on our side; then the next attempt first looks whether
/// the commit was made all the same.
pub(super) async fn once<A, B, W>(
    state: &State,
    caller: &Principal,
    key: Key,
    body: &B,
    work: W,
) -> Result<HttpResponse, Problem>
where
    A: Into<Answer>,
    B: Serialize,
    W: AsyncFnOnce(Origin) -> Result<A, Problem>,
{
    let Key { route, key: Some(key) } = key else {
        let answer: Answer = work(origin(state, caller)).await?.into();
        settle(state, answer.sync.as_ref(), None).await?;
        return Ok(answer.response);
    };
    let scope = Scope { principal: caller.subject.clone(), route, key };
    let digest = Digest::of(&serde_json::to_vec(body).unwrap_or_default());
    let begun = state.store.begin_idempotent(&scope, digest.as_str(), state.clock.now()).await?;
    let (since, resumed) = match begun {
        Begun::Fresh { since, again } => (since, again),
        Begun::Answered(answer) => return Ok(replayed(&answer)),
        Begun::InProgress => {
            let detail = "the first request with this key is still being answered";
            return Err(Problem::new(Kind::IdempotencyInProgress, detail).retry_after(1));
        }
        Begun::Mismatch => {
            let detail = "the key was used with another body";
            return Err(Problem::new(Kind::IdempotencyMismatch, detail));
        }
    };
    let id = derived_id(&["rest", &scope.principal, &scope.route, &scope.key, &since.to_string()]);
    let origin = Origin { actor: Actor::principal(caller), request: format!("rest/{id}"), resumed };
    let Answer { response, sync } = match work(origin).await {
        Ok(answer) => answer.into(),
        Err(problem) => problem.error_response().into(),
    };
    if response.status().is_server_error() {
        state.store.abandon_idempotent(&scope).await?;
        return Ok(response);
    }
    let (stored, response) = kept(response).await?;
    settle(state, sync.as_ref(), Some((&scope, &stored))).await?;
    Ok(response)
}

/// Writes down what was answered, and tells the relay if something was promised.
async fn settle(
    state: &State,
    sync: Option<&WantedSync>,
    answer: Option<(&Scope, &StoredAnswer)>,
) -> Result<(), store::Error> {
    if sync.is_none() && answer.is_none() {
        return Ok(());
    }
    let mut tx = state.store.begin().await?;
    if let Some(sync) = sync {
        state.store.add_sync(&mut tx, sync).await?;
    }
    if let Some((scope, answer)) = answer {
        state.store.finish_idempotent(&mut tx, scope, answer).await?;
    }
    tx.commit().await?;
    if let Some(sync) = sync {
        state.commands.nudge_for(sync);
    }
    Ok(())
}

/// Takes an answer apart for the store, and puts it together again.
async fn kept(answer: HttpResponse) -> Result<(StoredAnswer, HttpResponse), Problem> {
    let (head, body) = answer.into_parts();
    let body = to_bytes(body).await.map_err(|error| Problem::internal(error.as_ref()))?;
    let headers: Vec<(&str, &str)> = head
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let stored = StoredAnswer {
        status: head.status().as_u16(),
        headers: serde_json::to_string(&headers).unwrap_or_default(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    Ok((stored, head.set_body(body).map_into_boxed_body()))
}

fn replayed(answer: &StoredAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    let headers: Vec<(String, String)> = serde_json::from_str(&answer.headers).unwrap_or_default();
    for (name, value) in headers {
        response.append_header((name, value));
    }
    response.insert_header((REPLAYED, HeaderValue::from_static("true")));
    response.body(answer.body.clone())
}
