//! A record as it came from the broker, owned.

use std::sync::Arc;

use rdkafka::{
    Message,
    message::{BorrowedMessage, Headers as _, OwnedHeaders},
};

/// A record with the place it stood at.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp_ms: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Record {
    pub(crate) fn of(message: &BorrowedMessage<'_>, topic: Arc<str>) -> Self {
        let headers = message.headers().map(|headers| {
            headers.iter().map(|h| (h.key.to_owned(), h.value.unwrap_or_default().to_vec())).collect()
        });
        Self {
            topic,
            partition: message.partition(),
            offset: message.offset(),
            timestamp_ms: message.timestamp().to_millis().unwrap_or_default(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers.unwrap_or_default(),
        }
    }

    /// The partition that it stood in.
    pub(crate) fn place(&self) -> (Arc<str>, i32) {
        (Arc::clone(&self.topic), self.partition)
    }

    /// The first header of that name, when it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(key, _)| key == name)?;
        std::str::from_utf8(value).ok()
    }

    /// The key as text; keys of ours always are.
    pub(crate) fn key_text(&self) -> String {
        String::from_utf8_lossy(self.key.as_deref().unwrap_or_default()).into_owned()
    }

    /// Bytes that the record holds in memory.
    pub(crate) fn weight(&self) -> usize {
        self.value.as_ref().map_or(0, Vec::len) + 256
    }
}

/// Headers for librdkafka.
pub(crate) fn native_headers(headers: &[(String, Vec<u8>)]) -> OwnedHeaders {
    headers.iter().fold(OwnedHeaders::new_with_capacity(headers.len()), |native, (key, value)| {
        native.insert(rdkafka::message::Header { key, value: Some(value) })
    })
}
