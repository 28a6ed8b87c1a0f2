//! What can go wrong with the embedded broker.

use std::{io, path::PathBuf};

use crate::process;

/// A broker that could not be installed or started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What it needs is not on this machine.
    #[error("{what} is missing: {advice}")]
    Missing { what: &'static str, advice: &'static str },
    /// The jars could not be fetched or are not the pinned ones.
    #[error("could not install Apache Kafka:\n{output}")]
    Install { output: String },
    /// A file of the installation or of the data directory.
    #[error("could not use `{path}`")]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// The storage directory could not be formatted.
    #[error("could not format Kafka's storage:\n{output}")]
    Format { output: String },
    /// The operating system gives no random numbers.
    #[error("could not draw a cluster id")]
    Random,
    /// Its process.
    #[error(transparent)]
    Process(#[from] process::Error),
}
