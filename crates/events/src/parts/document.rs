//! Documents that travel inside records.

use serde::{Deserialize, Serialize};

use domain::id::Digest;

/// An OpenAPI document as it was written, compressed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// `application/json` or `application/yaml`.
    pub media_type: String,
    /// SHA-256 of the document before compression.
    pub digest: Digest,
    /// Bytes before compression, at most 16 MiB.
    pub size: i64,
    /// The document, compressed with zstd, at most 4 MiB.
    #[serde(with = "apache_avro::serde::bytes")]
    pub content: Vec<u8>,
}
