//! What is wrong with a value.

use domain::{Classify, Disposition};

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
