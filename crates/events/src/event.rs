//! What makes a Rust type the record type of a topic.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use crate::{codec::Codec, topics::Topic};

/// A record type: its topic, its key and its schema.
pub trait Event: Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static {
    /// The row of the topics table.
    const TOPIC: &'static Topic;

    /// The newest Avro schema of the topic, as `schemas/<topic>/<version>.avsc` holds it.
    const SCHEMA: &'static str;

    /// The key, which decides the partition and, on a compacted topic, which record is the newest.
    fn key(&self) -> String;

    /// The path of the entity that the record is about (`ce_subject`).
    fn subject(&self) -> String;

    /// The prepared encoder and decoder of the type.
    fn codec() -> &'static Codec;
}

/// Implements [`Event`] for a record type.
macro_rules! event {
    ($type:ident, $topic:path, $name:literal, $version:literal,
     key = |$record:ident| $key:expr, subject = |$subject_record:ident| $subject:expr) => {
        impl crate::Event for $type {
            const TOPIC: &'static crate::topics::Topic = &$topic;
            const SCHEMA: &'static str = include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../schemas/",
                $name,
                "/",
                stringify!($version),
                ".avsc"
            ));

            fn key(&self) -> String {
                let $record = self;
                $key
            }

            fn subject(&self) -> String {
                let $subject_record = self;
                $subject
            }

            fn codec() -> &'static crate::codec::Codec {
                static CODEC: std::sync::LazyLock<crate::codec::Codec> =
                    std::sync::LazyLock::new(|| crate::codec::Codec::new(<$type as crate::Event>::SCHEMA));
                &CODEC
            }
        }
    };
}
pub(crate) use event;
