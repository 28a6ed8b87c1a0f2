//! What can go wrong with a child process.

use std::{io, path::PathBuf, time::Duration};

/// A part that could not be started or kept running.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory for logs or pid files cannot be used.
    #[error("could not prepare `{path}`")]
    Place {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// The thread that owns the child could not be made.
    #[error("could not start the thread that watches {name}")]
    Thread {
        name: String,
        #[source]
        cause: io::Error,
    },
    /// It ended before it was ready.
    #[error("{name} ended while starting ({status}); the end of its log:\n{tail}")]
    EndedEarly { name: String, status: String, tail: String },
    /// It runs and does not answer.
    #[error("{name} was not ready within {within:?}; the end of its log:\n{tail}")]
    NotReady { name: String, within: Duration, tail: String },
    /// It ended too often in a row.
    #[error("{name} ended again and again ({status}); the end of its log:\n{tail}")]
    GaveUp { name: String, status: String, tail: String },
    /// A process of a former run does not go away.
    #[error("{name} of a former run (pid {pid}) could not be ended")]
    Leftover { name: String, pid: u32 },
}
