//! Sizes that producers, topics, brokers and consumers must agree on.

/// Largest `OpenAPI` document as written, in bytes.
pub const DOCUMENT: usize = 16 * 1024 * 1024;

/// Largest `OpenAPI` document as it travels, compressed, in bytes.
pub const DOCUMENT_COMPRESSED: usize = 4 * 1024 * 1024;

/// Largest record without a document, in bytes.
pub const RECORD: usize = 1024 * 1024;

/// Largest record with a document, in bytes.
pub const RECORD_WITH_DOCUMENT: usize = DOCUMENT_COMPRESSED + 256 * 1024;

/// What a dead letter adds to the record it holds (reason, error chain, coordinates), in bytes.
pub const DEAD_LETTER_OVERHEAD: usize = 128 * 1024;
