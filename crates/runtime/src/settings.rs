//! Typed settings, every problem of which is reported with its key.
//!
//! ```
//! use std::time::Duration;
//! use runtime::{Reader, SettingsError, Source};
//!
//! struct Settings { servers: Vec<String>, timeout: Duration }
//!
//! fn load(source: &Source) -> Result<Settings, SettingsError> {
//!     let mut reader = Reader::new(source);
//!     let servers = reader.required("kafka.bootstrap_servers"); // KAFKA_BOOTSTRAP_SERVERS
//!     let timeout = reader.or("kafka.timeout", Duration::from_secs(10));
//!     reader.complete(|| Some(Settings { servers: servers?, timeout }))
//! }
//!
//! let source = Source::given([("KAFKA_BOOTSTRAP_SERVERS", "a:9092, b:9092")]);
//! assert_eq!(load(&source).unwrap().servers, ["a:9092", "b:9092"]);
//! assert!(load(&Source::default()).is_err());
//! ```

mod addresses;
mod reader;
mod source;
mod value;

pub use self::{
    addresses::Addresses,
    reader::{Problem, Reader, SettingsError},
    source::{Source, SourceError},
    value::{Invalid, Setting},
};
