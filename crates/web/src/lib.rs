#![doc = include_str!("../README.md")]

mod auth;
mod body;
pub mod cursor;
pub mod etag;
mod problem;
mod request_id;
mod server;
pub mod sse;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use self::{
    auth::{
        AuthError, Authenticated, Authorized, AuthorizedAnywhere, OidcSettings, Requires, Verifier,
        challenge, permission,
    },
    body::{BodyLimit, Json, Query, Raw},
    problem::{Kind, Problem},
    request_id::RequestId,
    server::{Parts, Server, Settings},
};
