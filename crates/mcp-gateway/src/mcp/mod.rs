//! The Model Context Protocol over Streamable HTTP, on one endpoint for both eras.
//!
//! - `guard`: who may speak to the endpoint at all: `Origin`, `Host`, cross-origin answers.
//! - `message`: what a body is; `era`: which revision it follows, and whether headers agree with it.
//! - `dispatch`: one method, one answer; `call`: the one that matters; `reply`: how answers are sent; `stream`:
//!   notifications.
//! - `metadata`: where clients learn how to sign in.

mod call;
mod dispatch;
mod era;
mod error;
mod guard;
mod message;
mod metadata;
mod reply;
mod stream;

use ::web::{BodyLimit, Kind, Problem, Raw};
use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    http::header::{ACCEPT, ALLOW, CONTENT_TYPE},
    web::{self, Data, ServiceConfig},
};

use self::{dispatch::Context, message::Incoming};
use crate::{access::Caller, gateway::Gateway, upstream::Executor};

/// The endpoint.
const ENDPOINT: &str = "/mcp";

/// The largest message.
const MESSAGE: BodyLimit = BodyLimit(4 << 20);

/// Messages in one batch, which 2025-03-26 had.
const BATCH: usize = 50;

/// Who we are, as results of the modern era carry it.
pub(crate) fn server_meta() -> &'static str {
    concat!(
        "{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"stoa-mcp-gateway\",\"version\":\"",
        env!("CARGO_PKG_VERSION"),
        "\"}}"
    )
}

/// Adds the endpoint and its metadata.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let endpoint = web::resource(ENDPOINT)
        .app_data(MESSAGE)
        .route(web::post().to(post))
        .route(web::get().to(get))
        .route(web::method(actix_web::http::Method::OPTIONS).to(options))
        .default_service(web::to(other));
    config.service(endpoint);
    metadata::routes(config);
}

async fn options(request: HttpRequest, gateway: Data<Gateway>) -> HttpResponse {
    match guard::check(&request, &gateway) {
        Ok(()) => guard::preflight(&request),
        Err(problem) => problem.error_response(),
    }
}

async fn other(request: HttpRequest, gateway: Data<Gateway>) -> HttpResponse {
    guarded(&request, &gateway, async { not_allowed("GET, POST") }).await
}

fn not_allowed(allowed: &'static str) -> HttpResponse {
    let mut answer = Problem::new(Kind::MethodNotAllowed, "send messages with POST").error_response();
    answer.headers_mut().insert(ALLOW, actix_web::http::header::HeaderValue::from_static(allowed));
    answer
}

/// Revisions before 2026-07-28 may open a stream of notifications; later ones ask for it by message.
async fn get(request: HttpRequest, gateway: Data<Gateway>) -> HttpResponse {
    let answer = async {
        let accepts = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
        if !era::may_open_stream(&request)
            || !accepts.is_some_and(|accept| accept.contains("text/event-stream"))
        {
            return not_allowed("POST");
        }
        let caller = match Caller::of(&request, gateway.verifier(), gateway.metrics()).await {
            Ok(caller) => caller,
            Err(error) => return metadata::unauthorized(&request, &gateway, &error),
        };
        if matches!(caller, Caller::Anonymous) && !gateway.mcp().anonymous {
            return metadata::unauthorized(&request, &gateway, &::web::AuthError::Missing);
        }
        stream::open(&gateway, &caller, None)
    };
    guarded(&request, &gateway, answer).await
}

async fn post(
    request: HttpRequest,
    body: Result<Raw, Problem>,
    gateway: Data<Gateway>,
    executor: Data<Executor>,
) -> HttpResponse {
    let answer = async {
        let body = match body {
            Ok(Raw(body)) if is_json(&request) => body,
            Ok(_) => {
                return Problem::new(Kind::UnsupportedMediaType, "send messages as `application/json`")
                    .error_response();
            }
            Err(problem) => return problem.error_response(),
        };
        let caller = match Caller::of(&request, gateway.verifier(), gateway.metrics()).await {
            Ok(caller) => caller,
            Err(error) => return metadata::unauthorized(&request, &gateway, &error),
        };
        let context = Context { request: &request, gateway: &gateway, executor: &executor, caller: &caller };
        match message::read(&body) {
            Ok(Incoming::One(message)) => context.answer(message).await.into_response(&request),
            Ok(Incoming::Batch(messages)) => context.batch(messages).await,
            Err(error) => error.into_response(None),
        }
    };
    guarded(&request, &gateway, answer).await
}

/// `answer`, if the request may come here at all, with what a browser of an allowed origin needs.
async fn guarded(
    request: &HttpRequest,
    gateway: &Gateway,
    answer: impl Future<Output = HttpResponse>,
) -> HttpResponse {
    match guard::check(request, gateway) {
        Ok(()) => guard::expose(request, answer.await),
        Err(problem) => problem.error_response(),
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let given = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}
