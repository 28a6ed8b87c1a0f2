//! Apache Kafka as a child process: one node that is broker and controller, on loopback.

mod broker;
mod error;
mod install;
mod probe;
mod properties;

pub use self::{
    broker::{Kafka, Settings},
    error::Error,
    install::Install,
    probe::Broker,
};
