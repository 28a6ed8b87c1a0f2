//! From a record to its typed form.

use std::sync::Arc;

use domain::{Classify, Disposition};
use events::{
    Envelope, Event, headers,
    wire::{self, WireError},
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    dead_letter::Reason,
    handle::Update,
    record::Record,
    registry::{Registry, RegistryError},
};

/// Why a record could not become its typed form.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("header `{name}` is missing")]
    MissingHeader { name: &'static str },
    #[error("header `{name}` reads `{found}`, which is not {expected}")]
    BadHeader { name: &'static str, found: String, expected: &'static str },
    #[error("the value is not a record of this topic")]
    Wire(#[source] WireError),
    #[error("the schema that wrote the value is not to be had")]
    Schema(#[source] RegistryError),
    #[error("a value is missing, on a topic without removals")]
    NoValue,
}

impl Classify for DecodeError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Schema(error) => error.disposition(),
            _ => Disposition::Reject,
        }
    }
}

impl DecodeError {
    /// The word for it.
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Schema(RegistryError::UnknownSchema(_)) => Reason::UnknownSchema,
            _ => Reason::Undecodable,
        }
    }
}

/// Reads a record; a tombstone of a compacted topic is a removal.
pub(crate) async fn update<E: Event>(registry: &Registry, record: &Record) -> Result<Update<E>, DecodeError> {
    let Some(value) = &record.value else {
        return match E::TOPIC.cleanup {
            events::topics::Cleanup::Compact => Ok(Update::Removed(record.key_text())),
            events::topics::Cleanup::Delete(_) => Err(DecodeError::NoValue),
        };
    };
    let (id, body) = wire::split(value).map_err(DecodeError::Wire)?;
    let writer = registry.writer(id).await.map_err(DecodeError::Schema)?;
    let event = wire::decode::<E>(body, &writer).map_err(DecodeError::Wire)?;
    Ok(Update::Put(Arc::new(Envelope {
        id: attribute::<Uuid>(record, headers::ID, "a UUID")?,
        source: attribute::<String>(record, headers::SOURCE, "text")?,
        time: attribute::<Timestamp>(record, headers::TIME, "a time of RFC 3339")?,
        event,
    })))
}

fn attribute<T: std::str::FromStr>(
    record: &Record,
    name: &'static str,
    expected: &'static str,
) -> Result<T, DecodeError> {
    let text = record.header(name).ok_or(DecodeError::MissingHeader { name })?;
    text.parse().map_err(|_| DecodeError::BadHeader {
        name,
        found: text.chars().take(80).collect(),
        expected,
    })
}
