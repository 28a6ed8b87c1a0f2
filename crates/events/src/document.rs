//! Documents inside records: compressed on the way in, bounded on the way out.

use std::io::Read;

use domain::{Classify, Disposition, id::Digest};

use crate::{Document, limits};

/// zstd's default level: documents are written once and read by many.
const LEVEL: i32 = 3;

/// Why a document cannot travel, or did not arrive whole.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Larger than [`limits::DOCUMENT`].
    #[error("the document has {size} bytes; at most {max} are accepted", max = limits::DOCUMENT)]
    TooLarge {
        /// Bytes as written.
        size: usize,
    },
    /// Larger than [`limits::DOCUMENT_COMPRESSED`] when compressed.
    #[error("the document has {size} bytes when compressed; at most {max} are accepted", max = limits::DOCUMENT_COMPRESSED)]
    TooLargeCompressed {
        /// Bytes when compressed.
        size: usize,
    },
    /// Not a zstd frame, or one that lies about itself.
    #[error("the document could not be decompressed")]
    Broken(#[source] std::io::Error),
    /// The content is not what the digest says.
    #[error("the document does not match its digest")]
    Digest,
}

impl Classify for DocumentError {
    fn disposition(&self) -> Disposition {
        Disposition::Reject
    }
}

impl Document {
    /// Compresses `content`.
    pub fn pack(content: &[u8], media_type: &str) -> Result<Self, DocumentError> {
        if content.len() > limits::DOCUMENT {
            return Err(DocumentError::TooLarge { size: content.len() });
        }
        let packed = zstd::encode_all(content, LEVEL).map_err(DocumentError::Broken)?;
        if packed.len() > limits::DOCUMENT_COMPRESSED {
            return Err(DocumentError::TooLargeCompressed { size: packed.len() });
        }
        Ok(Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(content),
            size: i64::try_from(content.len()).unwrap_or(i64::MAX),
            content: packed,
        })
    }

    /// The document as it was written; never more than [`limits::DOCUMENT`] bytes are unpacked.
    pub fn unpack(&self) -> Result<Vec<u8>, DocumentError> {
        let content = unpack(&self.content)?;
        if Digest::of(&content) != self.digest {
            return Err(DocumentError::Digest);
        }
        Ok(content)
    }
}

/// Unpacks zstd content that may come from anybody, up to [`limits::DOCUMENT`] bytes.
pub fn unpack(packed: &[u8]) -> Result<Vec<u8>, DocumentError> {
    let decoder = zstd::Decoder::new(packed).map_err(DocumentError::Broken)?;
    let mut content = Vec::new();
    decoder.take(limits::DOCUMENT as u64 + 1).read_to_end(&mut content).map_err(DocumentError::Broken)?;
    if content.len() > limits::DOCUMENT {
        return Err(DocumentError::TooLarge { size: content.len() });
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_arrives_as_it_was_written() {
        let text = br#"{"openapi":"3.1.0"}"#;
        let document = Document::pack(text, "application/json").unwrap();
        assert_eq!(document.unpack().unwrap(), text);
        assert_eq!(document.size, 19);
    }

    #[test]
    fn a_document_beyond_the_limit_is_refused_both_ways() {
        let big = vec![b' '; limits::DOCUMENT + 1];
        assert!(matches!(Document::pack(&big, "application/json"), Err(DocumentError::TooLarge { .. })));
        let bomb = zstd::encode_all(&big[..], LEVEL).unwrap();
        assert!(bomb.len() < limits::DOCUMENT_COMPRESSED);
        assert!(matches!(unpack(&bomb), Err(DocumentError::TooLarge { .. })));
    }

    #[test]
    fn another_content_than_the_digest_says_is_noticed() {
        let mut document = Document::pack(b"one", "application/json").unwrap();
        document.content = Document::pack(b"two", "application/json").unwrap().content;
        assert!(matches!(document.unpack(), Err(DocumentError::Digest)));
    }
}
