//! Bodies and query strings, read with a limit; what is wrong with them is a problem that names the place.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev::Payload, http::header::CONTENT_LENGTH};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, future::LocalBoxFuture};
use serde::de::DeserializeOwned;

use crate::{Kind, Problem};

/// How many bytes a body may have; as `app_data` of a resource it replaces the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimit(pub usize);

impl Default for BodyLimit {
    /// One MiB.
    fn default() -> Self {
        Self(1 << 20)
    }
}

/// The whole body as it came, within the [`BodyLimit`] of its resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw(pub Bytes);

/// A JSON body, within the [`BodyLimit`] of its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// The query string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<T>(pub T);

impl FromRequest for Raw {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let BodyLimit(limit) = request.app_data().copied().unwrap_or_default();
        let announced =
            request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let payload = payload.take();
        Box::pin(async move {
            if announced.is_some_and(|length: usize| length > limit) {
                return Err(too_large(limit));
            }
            read(payload, limit).await.map(Self)
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let declared = is_json(request.content_type());
        let raw = Raw::from_request(request, payload);
        Box::pin(async move {
            if !declared {
                return Err(Problem::new(Kind::UnsupportedMediaType, "send the body as `application/json`"));
            }
            let Raw(body) = raw.await?;
            let mut json = serde_json::Deserializer::from_slice(&body);
            let value = serde_path_to_error::deserialize(&mut json).map_err(|error| misshaped(&error))?;
            json.end().map_err(|error| Problem::new(Kind::InvalidBody, error.to_string()))?;
            Ok(Self(value))
        })
    }
}

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
        let query = serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs));
        ready(query.map(Self).map_err(|error| {
            let (parameter, cause) = (error.path().to_string(), error.inner().to_string());
            match parameter.as_str() {
                "." => Problem::new(Kind::BadRequest, format!("the query string is not valid: {cause}")),
                _ => Problem::new(
                    Kind::BadRequest,
                    format!("the parameter `{parameter}` is not valid: {cause}"),
                )
                .member("parameter", parameter),
            }
        }))
    }
}

fn is_json(content_type: &str) -> bool {
    let subtype = content_type.trim().to_ascii_lowercase();
    subtype == "application/json" || (subtype.starts_with("application/") && subtype.ends_with("+json"))
}

fn misshaped(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let field = error.path().to_string();
    let problem = Problem::new(Kind::InvalidBody, error.inner().to_string());
    if field == "." { problem } else { problem.member("field", field) }
}

fn too_large(limit: usize) -> Problem {
    Problem::new(Kind::BodyTooLarge, format!("the body has more than {limit} bytes")).member("limit", limit)
}

async fn read(mut payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let broken = |_| Problem::new(Kind::BadRequest, "the body could not be read to its end");
        let chunk = chunk.map_err(broken)?;
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
