//! The backend's answer on its way to the caller.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use futures_util::{StreamExt as _, stream};
use reqwest::Response;
use tokio::time::timeout;
use url::Url;

use super::headers;
use crate::routes::Route;

/// The answer, its body streamed; a backend that falls silent for longer than the route allows ends it.
pub(super) fn of(request: &HttpRequest, route: &Route, answer: Response) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = HttpResponse::build(status);
    let named: Vec<String> = answer
        .headers()
        .get_all("connection")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(headers::options)
        .collect();
    for (name, value) in answer.headers() {
        let name = name.as_str();
        if name == "content-length" || !headers::is_returned(name, &named) {
            continue;
        }
        let own = (name == "location")
            .then(|| location(request, route, value.to_str().unwrap_or_default()))
            .flatten();
        let value = own.map_or_else(|| value.as_bytes().to_vec(), String::into_bytes);
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(&value))
        {
            response.append_header((name, value));
        }
    }
    let length = answer.headers().get("content-length");
    let length: Option<u64> = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let bodiless =
        status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED || status.is_informational();
    if bodiless {
        return response.finish();
    }
    if let Some(length) = length {
        response.no_chunking(length);
    }
    if *request.method() == Method::HEAD {
        return response.streaming(stream::empty::<Result<_, std::io::Error>>());
    }
    let patience = route.upstream.timeout;
    let chunks = stream::unfold(Some(answer.bytes_stream()), move |chunks| async move {
        let mut chunks = chunks?;
        match timeout(patience, chunks.next()).await {
            Ok(Some(Ok(chunk))) => Some((Ok(chunk), Some(chunks))),
            Ok(None) => None,
            Ok(Some(Err(error))) => Some((Err(std::io::Error::other(error.without_url())), None)),
            Err(elapsed) => Some((Err(std::io::Error::other(elapsed)), None)),
        }
    });
    response.streaming(chunks)
}

/// A redirection inside the backend, as the caller has to follow it.
///
/// A backend names itself by its own address or, if it heeds `X-Forwarded-Host`, by ours.
fn location(request: &HttpRequest, route: &Route, value: &str) -> Option<String> {
    let base = &route.upstream.url;
    let target = base.join(value).ok()?;
    let host = request.headers().get("host").and_then(|host| host.to_str().ok());
    let ours = host.and_then(|host| Url::parse(&format!("http://{host}/")).ok());
    let is_ours = ours.is_some_and(|ours| {
        ours.host() == target.host() && ours.port_or_known_default() == target.port_or_known_default()
    });
    let prefix = format!("/apis/{}/{}", route.tenant, route.api);
    if (target.origin() != base.origin() && !is_ours) || target.path().starts_with(&format!("{prefix}/")) {
        return None;
    }
    let rest = target.path().strip_prefix(base.path().trim_end_matches('/'))?;
    let query = target.query().map(|query| format!("?{query}")).unwrap_or_default();
    rest.starts_with('/').then(|| format!("{prefix}{rest}{query}"))
}
