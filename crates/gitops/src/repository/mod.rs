//! The mirror: a bare clone of one branch of a plain Git remote, read through git2.
//!
//! Every method blocks. From async code call them through [`Repository::blocking`], which moves the work to the
//! pool of blocking threads. A `Repository` is cheap to clone; its clones share a pool of open handles, so that
//! several threads read at once.

mod error;
mod fetch;
mod history;
mod pins;
mod tree;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use domain::id::CommitId;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub(crate) use self::fetch::callbacks;
pub use self::{
    error::Error,
    history::{CommitInfo, Line},
    pins::{ApiContent, PinError},
    tree::{PathChange, Tree},
};

/// The id of a blob, as Git writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlobId(CommitId);

impl BlobId {
    /// The hexadecimal text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl std::fmt::Display for BlobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for BlobId {
    type Err = domain::id::IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// The remote whose branch is the desired state.
#[derive(Clone, Debug)]
pub struct Remote {
    /// A path, or an address that Git understands.
    pub url: String,
    /// The branch; everything else is ignored.
    pub branch: String,
    /// What an https remote asks for.
    pub credentials: Option<Credentials>,
}

/// What an https remote asks for.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user; `oauth2` with a GitLab token.
    pub username: String,
    /// The password or token.
    pub secret: SecretString,
}

impl Remote {
    /// The branch `main` of the remote at `url`, without credentials.
    #[must_use]
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), branch: "main".to_owned(), credentials: None }
    }

    /// The address as it may be shown: without user and password.
    #[must_use]
    pub fn shown(&self) -> String {
        match url::Url::parse(&self.url) {
            Ok(mut url) if url.has_host() => {
                // Both fail only for addresses that have no user.
                let _ = url.set_username("");
                let _ = url.set_password(None);
                url.to_string()
            }
            _ => self.url.clone(),
        }
    }

    /// The folder of the remote, if it lies on this machine.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        match url::Url::parse(&self.url) {
            Ok(url) if url.scheme() == "file" => url.to_file_path().ok(),
            Ok(_) => None,
            Err(_) => Some(PathBuf::from(&self.url)),
        }
    }

    pub(crate) fn reference(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }
}

/// The mirror of a remote's branch.
#[derive(Clone)]
pub struct Repository {
    inner: Arc<Inner>,
}

struct Inner {
    remote: Remote,
    folder: PathBuf,
    /// Handles at rest; git2's own may move between threads but not be shared.
    idle: Mutex<Vec<git2::Repository>>,
    /// One fetch or push at a time.
    transfer: Mutex<()>,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository")
            .field("remote", &self.inner.remote.shown())
            .field("folder", &self.inner.folder)
            .finish_non_exhaustive()
    }
}

impl Repository {
    /// Opens the mirror in `folder`, making it where there is none. Nothing is fetched yet.
    pub fn open_or_create(remote: Remote, folder: &Path) -> Result<Self, Error> {
        let open = || match git2::Repository::open_bare(folder) {
            Ok(handle) => Ok(handle),
            Err(error) if error.code() == git2::ErrorCode::NotFound => {
                std::fs::create_dir_all(folder).map_err(|error| git2::Error::from_str(&error.to_string()))?;
                git2::Repository::init_bare(folder)
            }
            Err(error) => Err(error),
        };
        let handle = open().map_err(|cause| Error::Open { folder: folder.to_owned(), cause })?;
        Ok(Self::over(handle, remote, folder))
    }

    /// The history of the working copy that `folder` is in, and its head; nothing where there is none.
    pub fn of_working_copy(folder: &Path) -> Result<Option<(Self, CommitId)>, Error> {
        let failed = |cause| Error::Open { folder: folder.to_owned(), cause };
        let handle = match git2::Repository::discover(folder) {
            Ok(handle) => handle,
            Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let head = match handle.head().and_then(|head| head.peel_to_commit()) {
            Ok(head) => commit_id(head.id()),
            Err(error) if error.code() == git2::ErrorCode::UnbornBranch => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let git = handle.path().to_owned();
        Ok(Some((Self::over(handle, Remote::at(git.display().to_string()), &git), head)))
    }

    fn over(handle: git2::Repository, remote: Remote, folder: &Path) -> Self {
        let inner = Inner {
            remote,
            folder: folder.to_owned(),
            idle: Mutex::new(vec![handle]),
            transfer: Mutex::new(()),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Opens or makes the mirror, and fetches.
    pub fn open_or_clone(remote: Remote, folder: &Path) -> Result<Self, Error> {
        let repository = Self::open_or_create(remote, folder)?;
        repository.fetch()?;
        Ok(repository)
    }

    /// Makes an empty bare repository in `folder`, to be a remote for mirrors.
    pub fn create_remote(folder: &Path, branch: &str) -> Result<(), Error> {
        let mut options = git2::RepositoryInitOptions::new();
        options.bare(true).mkpath(true).initial_head(branch);
        git2::Repository::init_opts(folder, &options)
            .map(|_| ())
            .map_err(|cause| Error::Open { folder: folder.to_owned(), cause })
    }

    /// The remote.
    #[must_use]
    pub fn remote(&self) -> &Remote {
        &self.inner.remote
    }

    /// Runs blocking work with this repository on the pool for such work.
    ///
    /// # Panics
    /// Passes on a panic of the work.
    pub async fn blocking<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&Self) -> Result<T, E> + Send + 'static,
    {
        let repository = self.clone();
        match tokio::task::spawn_blocking(move || work(&repository)).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => unreachable!("blocking work is never cancelled once it runs"),
            },
        }
    }

    /// Lends a handle to `work`.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&git2::Repository) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let idle = || self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let rested = idle().pop();
        let handle = match rested {
            Some(handle) => handle,
            None => git2::Repository::open_bare(&self.inner.folder)
                .map_err(|cause| Error::Open { folder: self.inner.folder.clone(), cause })?,
        };
        let result = work(&handle);
        idle().push(handle);
        result
    }

    pub(crate) fn transfer(&self) -> std::sync::MutexGuard<'_, ()> {
        self.inner.transfer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn commit_id(oid: git2::Oid) -> CommitId {
    oid.to_string().parse().expect("Git writes ids in hexadecimal")
}

pub(crate) fn oid(commit: &CommitId) -> Result<git2::Oid, Error> {
    git2::Oid::from_str(commit.as_str()).map_err(|_| Error::NoSuchCommit(commit.clone()))
}
