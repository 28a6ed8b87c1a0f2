//! A record with its `CloudEvents` attributes, and their headers (binary mode, `CloudEvents` Kafka binding 1.0).

use jiff::Timestamp;
use uuid::Uuid;

use crate::Event;

/// Header of the `CloudEvents` version.
pub const SPEC_VERSION: &str = "ce_specversion";
/// Header of the id, by which repeats are recognised.
pub const ID: &str = "ce_id";
/// Header of the service that wrote the record.
pub const SOURCE: &str = "ce_source";
/// Header of the record type.
pub const TYPE: &str = "ce_type";
/// Header of the entity that the record is about.
pub const SUBJECT: &str = "ce_subject";
/// Header of the time of writing.
pub const TIME: &str = "ce_time";
/// Header of the media type of the value.
pub const CONTENT_TYPE: &str = "content-type";
/// Header of the trace that the record belongs to (W3C Trace Context).
pub const TRACEPARENT: &str = "traceparent";
/// Header of the detached signature of a record from outside.
pub const SIGNATURE: &str = "stoa-signature";

/// A record with what its headers say.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope<E> {
    /// Id of the record; a repeat has the same.
    pub id: Uuid,
    /// Who wrote it, as a path: `/stoa/{service}`.
    pub source: String,
    /// When it was written.
    pub time: Timestamp,
    /// The record.
    pub event: E,
}

impl<E: Event> Envelope<E> {
    /// The headers of the record, `traceparent` and signature aside.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            (SPEC_VERSION, "1.0".to_owned()),
            (ID, self.id.to_string()),
            (SOURCE, self.source.clone()),
            (TYPE, format!("io.stoa.{}", E::TOPIC.name)),
            (SUBJECT, self.event.subject()),
            (TIME, self.time.to_string()),
            (CONTENT_TYPE, "application/avro".to_owned()),
        ]
    }
}
