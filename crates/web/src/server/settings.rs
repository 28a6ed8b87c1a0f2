//! Where a server listens, and its limits.

use std::{
    net::{Ipv4Addr, SocketAddr},
    thread,
    time::Duration,
};

use runtime::Reader;

use crate::BodyLimit;

/// Where a server listens, and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where it listens.
    pub address: SocketAddr,
    /// How many threads answer.
    pub workers: usize,
    /// How many bytes a body may have, unless its resource says otherwise.
    pub body_limit: BodyLimit,
    /// How long the head of an answer may take.
    pub timeout: Duration,
    /// How long new connections are still taken after a stop was requested.
    pub drain: Duration,
    /// How long requests in flight may take after that.
    pub stop: Duration,
}

impl Settings {
    /// The usual limits, on loopback at `port`; 0 lets the system choose.
    #[must_use]
    pub fn loopback(port: u16) -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, port).into(),
            workers: thread::available_parallelism().map_or(1, usize::from),
            body_limit: BodyLimit::default(),
            timeout: Duration::from_secs(30),
            drain: Duration::ZERO,
            stop: Duration::from_secs(20),
        }
    }

    /// Reads the section `server`; without `server.address` it listens on loopback at `port`.
    pub fn read(reader: &mut Reader, port: u16) -> Self {
        let default = Self::loopback(port);
        let settings = Self {
            address: reader.or("server.address", default.address),
            workers: reader.or("server.workers", default.workers),
            body_limit: BodyLimit(reader.or("server.body_limit", default.body_limit.0)),
            timeout: reader.or("server.timeout", default.timeout),
            drain: reader.or("server.drain", default.drain),
            stop: reader.or("server.stop", default.stop),
        };
        if settings.workers == 0 {
            reader.problem("server.workers", "expected at least 1");
        }
        settings
    }
}
