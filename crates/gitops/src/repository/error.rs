//! What can go wrong with the mirror and its remote.

use std::path::PathBuf;

use domain::{Classify, Disposition, id::CommitId};

use crate::repository::BlobId;

/// A failed attempt at the mirror or its remote.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The mirror's folder is no repository, and could not be made one.
    #[error("could not open the repository in `{}`", folder.display())]
    Open {
        folder: PathBuf,
        #[source]
        cause: git2::Error,
    },
    /// The remote did not answer, or refused.
    #[error("could not fetch from `{remote}`")]
    Fetch {
        remote: String,
        #[source]
        cause: git2::Error,
    },
    /// The remote did not take a commit, for another reason than a moved head.
    #[error("could not push to `{remote}`")]
    Push {
        remote: String,
        #[source]
        cause: git2::Error,
    },
    /// The mirror does not hold the commit.
    #[error("there is no commit `{0}`")]
    NoSuchCommit(CommitId),
    /// The mirror does not hold the blob.
    #[error("there is no blob `{0}`")]
    NoSuchBlob(BlobId),
    /// The mirror could not be read or written.
    #[error("could not {attempt}")]
    Storage {
        attempt: &'static str,
        #[source]
        cause: git2::Error,
    },
}

impl Classify for Error {
    fn disposition(&self) -> Disposition {
        match self {
            Self::NoSuchCommit(_) | Self::NoSuchBlob(_) => Disposition::Reject,
            // A disk or a network that fails may work later.
            Self::Open { .. } | Self::Fetch { .. } | Self::Push { .. } | Self::Storage { .. } => {
                Disposition::Retry
            }
        }
    }
}

impl Error {
    /// Names the attempt that met an error of Git's storage.
    pub(crate) fn on(attempt: &'static str) -> impl FnOnce(git2::Error) -> Self {
        move |cause| Self::Storage { attempt, cause }
    }
}
