//! `/apis/{tenant}/{api}/…`: deployed APIs as they are.

mod answer;
mod body;
mod headers;
mod target;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    http::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE},
    web::{Data, Payload},
};
use reqwest::{Method, Request};
use web::{Kind, Problem};

use crate::{
    access::{Caller, Denied},
    gateway::Gateway,
    routes::Route,
    upstream::{self, Executor},
};

/// Names the generation of the route that an answer belongs to.
pub(crate) const GENERATION: HeaderName = HeaderName::from_static("stoa-generation");

/// Passes a request on to the backend of its route, and the answer back.
pub(crate) async fn forward(
    request: HttpRequest,
    payload: Payload,
    gateway: Data<Gateway>,
    executor: Data<Executor>,
) -> HttpResponse {
    let table = gateway.table();
    let route = target::split(request.uri().path()).and_then(|(key, rest)| Some((table.route(key)?, rest)));
    let Some((route, rest)) = route else {
        let detail = "no API is deployed here under that name";
        return Problem::new(Kind::ApiNotFound, detail).error_response();
    };
    let exchange = exchange(&request, payload, &gateway, &executor, route, rest);
    let mut answer = exchange.await.unwrap_or_else(|problem| problem.error_response());
    answer.headers_mut().insert(GENERATION, route.stamp.clone());
    answer
}

async fn exchange(
    request: &HttpRequest,
    payload: Payload,
    gateway: &Gateway,
    executor: &Executor,
    route: &Route,
    rest: &str,
) -> Result<HttpResponse, Problem> {
    let caller = Caller::of(request, gateway.verifier(), gateway.metrics()).await;
    let caller = match caller {
        Ok(caller) => caller,
        // A token that nobody asked for need not be a good one.
        Err(_) if Caller::Anonymous.check(route).is_ok() => Caller::Anonymous,
        Err(error) => return Err(error.into()),
    };
    caller.check(route).map_err(refusal)?;

    let url = target::join(&route.upstream.url, rest, request.uri().query())?;
    let method = Method::from_bytes(request.method().as_str().as_bytes())
        .map_err(|_| Problem::new(Kind::BadRequest, "that is no method"))?;
    let mut sent = Request::new(method, url);
    *sent.headers_mut() = headers::forwarded(request, route);
    *sent.body_mut() = body::of(request, payload).await?;
    let answer = executor.send(&route.upstream, sent).await.map_err(|error| failure(&error))?;
    Ok(answer::of(request, route, answer))
}

/// A caller who may not is told what would help.
fn refusal(denied: Denied) -> Problem {
    match denied {
        Denied::NoToken => web::AuthError::Missing.into(),
        Denied::OtherTenant => Problem::new(Kind::Forbidden, "the API belongs to another tenant"),
        Denied::Scopes(scopes) => {
            let scopes = scopes.join(" ");
            let challenge =
                format!("Bearer realm=\"stoa\", error=\"insufficient_scope\", scope=\"{scopes}\"");
            let problem =
                Problem::new(Kind::Forbidden, format!("the call needs a token with the scopes `{scopes}`"));
            match HeaderValue::from_str(&challenge) {
                Ok(value) => problem.header(WWW_AUTHENTICATE, value),
                Err(_) => problem,
            }
        }
    }
}

fn failure(error: &upstream::Error) -> Problem {
    match error {
        upstream::Error::Timeout(_) => Problem::new(Kind::Timeout, error.to_string()),
        upstream::Error::Unreachable(_) | upstream::Error::Broken(_) | upstream::Error::TooLarge { .. } => {
            Problem::new(Kind::UpstreamFailed, error.to_string())
        }
    }
}
