//! What becomes of a message, and how that is sent: long results as they were prepared, never copied.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    HttpRequest, HttpResponse,
    body::{BodySize, MessageBody},
    http::{
        StatusCode,
        header::{AcceptEncoding, CONTENT_ENCODING, Encoding, Header as _, HeaderValue, VARY},
    },
};
use bytes::Bytes;
use serde_json::value::RawValue;

use super::error::RpcError;
use crate::routes::Page;

/// Longer pieces are handed on in parts, which fit the buffer of a connection.
const PART: usize = 16 << 10;

/// What becomes of a message.
pub(super) enum Reply {
    /// A JSON-RPC response.
    Rpc { status: StatusCode, body: Bytes },
    /// A response with a result that many share.
    Prepared { id: Box<RawValue>, result: Arc<Page> },
    /// Taken; there is nothing to say.
    Accepted,
    /// Anything else: a challenge, a stream.
    Http(HttpResponse),
}

impl Reply {
    pub(super) fn error(error: &RpcError, id: Option<&RawValue>) -> Self {
        Self::Rpc { status: error.status, body: error.body(id).into() }
    }

    pub(super) fn result(id: &RawValue, result: &[u8]) -> Self {
        let body = [before(id).as_bytes(), result, AFTER.as_bytes()].concat();
        Self::Rpc { status: StatusCode::OK, body: body.into() }
    }

    /// The answer to `request`.
    pub(super) fn into_response(self, request: &HttpRequest) -> HttpResponse {
        let json = |status| {
            let mut response = HttpResponse::build(status);
            response.content_type("application/json");
            response
        };
        match self {
            Self::Rpc { status, body } => json(status).body(body),
            Self::Prepared { id, result } => {
                let mut response = json(StatusCode::OK);
                response.insert_header((VARY, HeaderValue::from_static("accept-encoding")));
                match result.packed() {
                    Some(packed) if takes_gzip(request) => {
                        response.insert_header((CONTENT_ENCODING, HeaderValue::from_static("gzip")));
                        response.body(Pieces::of(packed.member(before(&id).as_bytes(), AFTER.as_bytes())))
                    }
                    _ => response.body(Pieces::of(pieces(&id, &result))),
                }
            }
            Self::Accepted => HttpResponse::Accepted().finish(),
            Self::Http(response) => response,
        }
    }

    /// The parts of a JSON-RPC response, none if there is none to give; or the answer to the whole request.
    pub(super) fn into_pieces(self) -> Result<Vec<Bytes>, Box<HttpResponse>> {
        match self {
            Self::Rpc { body, .. } => Ok(vec![body]),
            Self::Prepared { id, result } => Ok(pieces(&id, &result).into()),
            Self::Accepted => Ok(Vec::new()),
            Self::Http(response) => Err(Box::new(response)),
        }
    }
}

fn before(id: &RawValue) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":", id.get())
}

const AFTER: &str = "}";

fn pieces(id: &RawValue, result: &Page) -> [Bytes; 3] {
    [before(id).into(), result.plain.clone(), Bytes::from_static(AFTER.as_bytes())]
}

fn takes_gzip(request: &HttpRequest) -> bool {
    let known = [Encoding::gzip(), Encoding::identity()];
    AcceptEncoding::parse(request)
        .is_ok_and(|accepted| accepted.negotiate(known.iter()) == Some(Encoding::gzip()))
}

/// A body of pieces, one after another.
pub(super) struct Pieces {
    waiting: VecDeque<Bytes>,
    length: u64,
}

impl Pieces {
    pub(super) fn of(pieces: impl Into<VecDeque<Bytes>>) -> Self {
        let mut waiting = pieces.into();
        waiting.retain(|piece| !piece.is_empty());
        let length = waiting.iter().map(|piece| piece.len() as u64).sum();
        Self { waiting, length }
    }
}

impl MessageBody for Pieces {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let Some(piece) = self.waiting.front_mut() else { return Poll::Ready(None) };
        if piece.len() > PART {
            return Poll::Ready(Some(Ok(piece.split_to(PART))));
        }
        Poll::Ready(self.waiting.pop_front().map(Ok))
    }
}
