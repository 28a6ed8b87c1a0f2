//! What callers of the gateway see, over HTTP on loopback.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod builtin;
mod prepared;
mod protocol;
mod proxy;
mod routes;
mod sign_in;
mod stock_client;
mod streams;
mod tools;
mod whole_service;
mod world;
