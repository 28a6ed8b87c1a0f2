//! A Schema Registry with Confluent's REST API, small: Avro only, full compatibility only.
//!
//! It keeps its subjects in a journal of key and value, one record a change, in the same form on a compacted
//! topic and in a file. Ids are given in order, except in mode `IMPORT`, where the caller gives them.

mod answer;
mod error;
mod handlers;
mod journal;
mod on_topic;
mod record;
mod schema;
mod service;
mod subjects;

pub use self::{
    error::Error,
    journal::{Answer, InFile, Journal, JournalError, Kept},
    on_topic::OnTopic,
    service::Registry,
};
