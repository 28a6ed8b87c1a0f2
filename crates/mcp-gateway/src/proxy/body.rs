//! The body of a request on its way to the backend.

use actix_web::{HttpRequest, rt, web::Payload};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use reqwest::Body;
use tokio::sync::mpsc;
use web::{Kind, Problem};

/// Bodies up to this size are sent at once.
const SMALL: u64 = 64 << 10;

/// Chunks that may wait for a slow backend; beyond that the caller waits.
const WAITING: usize = 8;

/// The body, if the request has one: small ones whole, others as they come.
pub(super) async fn of(request: &HttpRequest, mut payload: Payload) -> Result<Option<Body>, Problem> {
    let header = |name: &str| request.headers().get(name);
    let length = header("content-length").and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match length {
        None if header("transfer-encoding").is_none() && !is_streamed(request) => Ok(None),
        Some(0) => Ok(Some(Body::from(Bytes::new()))),
        Some(length) if length <= SMALL => {
            let mut body = BytesMut::new();
            while let Some(chunk) = payload.next().await {
                let broken = |_| Problem::new(Kind::BadRequest, "the body could not be read to its end");
                body.extend_from_slice(&chunk.map_err(broken)?);
            }
            Ok(Some(Body::from(body.freeze())))
        }
        _ => Ok(Some(streamed(payload))),
    }
}

/// In HTTP/2 a body needs neither of the two headers.
fn is_streamed(request: &HttpRequest) -> bool {
    let bodiless = ["GET", "HEAD", "OPTIONS", "TRACE", "DELETE"].contains(&request.method().as_str());
    request.version() == actix_web::http::Version::HTTP_2 && !bodiless
}

/// A payload belongs to its worker's thread, a request's body may not; a channel joins them.
fn streamed(mut payload: Payload) -> Body {
    let (sender, receiver) = mpsc::channel(WAITING);
    rt::spawn(async move {
        while let Some(chunk) = payload.next().await {
            let broken = chunk.is_err();
            // Without a receiver, the backend has answered or gone.
            if sender.send(chunk).await.is_err() || broken {
                return;
            }
        }
    });
    let chunks = stream::unfold(receiver, |mut receiver| async move {
        let chunk: Result<Bytes, _> = receiver.recv().await?;
        Some((chunk.map_err(|error| std::io::Error::other(error.to_string())), receiver))
    });
    Body::wrap_stream(chunks)
}
