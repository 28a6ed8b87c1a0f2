//! The wire form of a value: Confluent's framing (a zero byte, the schema's id in four bytes, big-endian)
//! around an Avro body.

use domain::{Classify, Disposition};

use crate::{Event, codec::WriterSchema};

/// The id under which the registry knows a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaId(pub u32);

const MAGIC: u8 = 0;
const FRAME: usize = 5;

/// Why bytes are not a record, or a record not bytes.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Fewer than the five bytes of the frame.
    #[error("the value has {length} bytes; an Avro value begins with a zero byte and a schema id of four")]
    Short {
        /// Bytes that were there.
        length: usize,
    },
    /// The first byte is not zero.
    #[error("the value begins with byte {found:#04x}, not with the zero byte of an Avro value")]
    Magic {
        /// The first byte.
        found: u8,
    },
    /// The registry's schema cannot be used.
    #[error("the writer's schema does not parse")]
    Schema(#[source] apache_avro::Error),
    /// The body is not what its schema says, or cannot become what ours says.
    #[error("the body does not decode")]
    Decode(#[source] apache_avro::Error),
    /// The body ends inside the record.
    #[error("the body ends before the record does")]
    Cut,
    /// The body goes on after the record.
    #[error("{count} bytes follow the record")]
    TrailingBytes {
        /// Bytes after the record.
        count: usize,
    },
    /// The record does not fit its own schema.
    #[error("the record does not encode")]
    Encode(#[source] apache_avro::Error),
}

impl Classify for WireError {
    fn disposition(&self) -> Disposition {
        Disposition::Reject
    }
}

/// The value of `record`, written under `id`.
pub fn encode<E: Event>(record: &E, id: SchemaId) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::with_capacity(256);
    out.push(MAGIC);
    out.extend_from_slice(&id.0.to_be_bytes());
    E::codec().encode(record, &mut out)?;
    Ok(out)
}

/// The schema id and the body of a value.
pub fn split(value: &[u8]) -> Result<(SchemaId, &[u8]), WireError> {
    let Some((&[magic, a, b, c, d], body)) = value.split_first_chunk::<FRAME>() else {
        return Err(WireError::Short { length: value.len() });
    };
    if magic != MAGIC {
        return Err(WireError::Magic { found: magic });
    }
    Ok((SchemaId(u32::from_be_bytes([a, b, c, d])), body))
}

/// The record in a body that was written with `writer`.
pub fn decode<E: Event>(body: &[u8], writer: &WriterSchema) -> Result<E, WireError> {
    E::codec().decode(body, writer)
}
