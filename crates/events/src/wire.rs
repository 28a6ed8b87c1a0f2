//! The wire form of a value: Confluent's framing (a zero byte, the schema's id in four bytes, big-endian)
//! around an Avro body.

pub use crate::error::WireError;
use crate::{Event, codec::WriterSchema};

/// The id under which the registry knows a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaId(pub u32);

const MAGIC: u8 = 0;
const FRAME: usize = 5;

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
