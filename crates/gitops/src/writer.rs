//! Writing: one atomic commit of many files, pushed only if the head is still where the caller saw it.

use std::{collections::BTreeMap, path::Path};

use domain::{Classify, Disposition, id::CommitId};
use jiff::Timestamp;

use crate::{
    layout::Layout,
    repository::{self, Remote, Repository, commit_id, oid},
    trailer::{Covered, Trailers},
};

/// What to do with files: new content, or `None` to remove one.
pub type Files = BTreeMap<String, Option<Vec<u8>>>;

/// Who commits, when, why.
#[derive(Clone, Debug)]
pub struct Author {
    /// The name of who acts.
    pub name: String,
    /// The e-mail address of who acts.
    pub email: String,
    /// When.
    pub at: Timestamp,
}

/// Why a commit was not made.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The head is not where the caller saw it; read again, decide again, try again.
    #[error("the branch moved while the commit was made")]
    Conflict {
        /// Where it is now.
        head: Option<CommitId>,
    },
    /// The files are as wanted already; there is nothing to commit.
    #[error("nothing would change")]
    Unchanged,
    /// The path cannot be written.
    #[error("`{0}` is not a path inside the repository")]
    Path(String),
    /// The mirror or the remote failed.
    #[error(transparent)]
    Repository(#[from] repository::Error),
}

impl Classify for WriteError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Conflict { .. } => Disposition::Retry,
            Self::Unchanged | Self::Path(_) => Disposition::Reject,
            Self::Repository(error) => error.disposition(),
        }
    }
}

/// Makes commits on the remote's branch.
///
/// Blocks, as [`Repository`] does.
#[derive(Clone, Debug)]
pub struct Writer {
    repository: Repository,
    trailers: Trailers,
}

impl Writer {
    /// A writer to the remote of this mirror.
    #[must_use]
    pub fn new(repository: Repository, trailers: Trailers) -> Self {
        Self { repository, trailers }
    }

    /// The mirror of the remote that this writes to.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Commits `files` on top of `base` and pushes, if the head of the branch is still `base`.
    ///
    /// `base` is `None` for the first commit of an empty remote. `request` goes into the trailer: a caller that
    /// does not know whether it got here before asks [`Writer::find`] first.
    pub fn commit(
        &self,
        base: Option<&CommitId>,
        files: &Files,
        author: &Author,
        message: &str,
        request: &str,
    ) -> Result<CommitId, WriteError> {
        if let Some(path) = files.keys().find(|path| !Layout::is_safe(path)) {
            return Err(WriteError::Path(path.clone()));
        }
        let _one_at_a_time = self.repository.transfer();
        let remote = self.repository.remote();
        let target = match remote.folder() {
            // On this machine the commit is made in the remote itself: libgit2 pushes to a folder without
            // comparing, so a push could overwrite another.
            Some(folder) => Target::Folder(git2::Repository::open(&folder).map_err(|cause| {
                WriteError::Repository(repository::Error::Push { remote: remote.shown(), cause })
            })?),
            None => Target::Mirror,
        };
        let make = |handle: &git2::Repository| self.make(handle, base, files, author, message, request);
        let commit = match &target {
            Target::Folder(handle) => {
                let commit = make(handle)?;
                move_reference(handle, remote, base, &commit)?;
                commit
            }
            Target::Mirror => {
                let commit = self.repository.with(|handle| Ok(make(handle)))??;
                self.repository.with(|handle| Ok(push(handle, remote, base, &commit)))??;
                commit
            }
        };
        Ok(commit)
    }

    /// The commit that fulfilled `request`, if it was made at or before `head`: what a resumed request asks
    /// before it commits again.
    pub fn find(
        &self,
        request: &str,
        head: &CommitId,
        until: Option<&CommitId>,
        limit: usize,
    ) -> Result<Option<CommitId>, repository::Error> {
        let ours = |commit: &repository::CommitInfo| self.trailers.verify(commit) == Some(request);
        Ok(self.repository.find_commit(head, until, limit, ours)?.map(|commit| commit.id))
    }

    fn make(
        &self,
        handle: &git2::Repository,
        base: Option<&CommitId>,
        files: &Files,
        author: &Author,
        message: &str,
        request: &str,
    ) -> Result<CommitId, WriteError> {
        let storage = |cause| repository::Error::Storage { attempt: "make a commit", cause };
        // A base that is not there is one that the remote no longer has.
        let parent = match base {
            Some(base) => match handle.find_commit(oid(base)?) {
                Ok(commit) => Some(commit),
                Err(_) => return Err(WriteError::Conflict { head: None }),
            },
            None => None,
        };
        let before = parent.as_ref().map(git2::Commit::tree).transpose().map_err(storage)?;
        let tree = write_tree(handle, before.as_ref(), files).map_err(storage)?;
        if before.as_ref().is_some_and(|before| before.id() == tree) {
            return Err(WriteError::Unchanged);
        }
        let time = git2::Time::new(author.at.as_second(), 0);
        let clean = |text: &str| text.replace(['<', '>', '\n', '\0'], " ").trim().to_owned();
        let named = |text: &str, otherwise: &str| match clean(text) {
            text if text.is_empty() => otherwise.to_owned(),
            text => text,
        };
        let (name, email) = (named(&author.name, "unknown"), named(&author.email, "unknown"));
        let signed = git2::Signature::new(&name, &email, &time).map_err(storage)?;
        let committer = git2::Signature::new("STOA", "stoa@localhost", &time).map_err(storage)?;
        let covered =
            Covered { tree: &commit_id(tree), parent: base, author_name: &name, author_email: &email };
        let message = self.trailers.sign(message, request, &covered);
        let tree = handle.find_tree(tree).map_err(storage)?;
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        let commit = handle.commit(None, &signed, &committer, &message, &tree, &parents).map_err(storage)?;
        Ok(commit_id(commit))
    }
}

enum Target {
    Folder(git2::Repository),
    Mirror,
}

/// Writes the files of a commit: those of `before`, changed.
fn write_tree(
    handle: &git2::Repository,
    before: Option<&git2::Tree<'_>>,
    files: &Files,
) -> Result<git2::Oid, git2::Error> {
    let empty = handle.find_tree(handle.treebuilder(None)?.write()?)?;
    let before = before.unwrap_or(&empty);
    let mut update = git2::build::TreeUpdateBuilder::new();
    for (path, content) in files {
        match content {
            Some(content) => {
                update.upsert(path.as_str(), handle.blob(content)?, git2::FileMode::Blob);
            }
            None if before.get_path(Path::new(path)).is_ok() => {
                update.remove(path.as_str());
            }
            None => {}
        }
    }
    update.create_updated(handle, before)
}

/// Moves the branch of a repository on this machine from `base` to `commit`, in one step under its lock.
fn move_reference(
    handle: &git2::Repository,
    remote: &Remote,
    base: Option<&CommitId>,
    commit: &CommitId,
) -> Result<(), WriteError> {
    let name = remote.reference();
    let to = oid(commit)?;
    let log = "stoa: commit";
    let moved = match base {
        Some(base) => handle.reference_matching(&name, to, true, oid(base)?, log),
        None => handle.reference(&name, to, false, log),
    };
    let Err(cause) = moved else { return Ok(()) };
    match cause.code() {
        git2::ErrorCode::Modified
        | git2::ErrorCode::Exists
        | git2::ErrorCode::NotFound
        | git2::ErrorCode::Locked => {
            let head = handle.refname_to_id(&name).ok().map(commit_id);
            Err(WriteError::Conflict { head })
        }
        _ => Err(repository::Error::Push { remote: remote.shown(), cause }.into()),
    }
}

/// Pushes `commit`, if the remote's branch is at `base`; the remote compares again under its own lock.
fn push(
    handle: &git2::Repository,
    remote: &Remote,
    base: Option<&CommitId>,
    commit: &CommitId,
) -> Result<(), WriteError> {
    use std::{cell::RefCell, rc::Rc};

    let expected = base.map_or_else(|| Ok(git2::Oid::ZERO_SHA1), oid)?;
    let conflict: Rc<RefCell<Option<Option<CommitId>>>> = Rc::default();
    let mut callbacks = repository::callbacks(remote);
    let seen = Rc::clone(&conflict);
    callbacks.push_negotiation(move |updates| match updates.iter().find(|update| update.src() != expected) {
        None => Ok(()),
        Some(update) => {
            let head = Some(update.src()).filter(|id| !id.is_zero()).map(commit_id);
            *seen.borrow_mut() = Some(head);
            Err(git2::Error::from_str("the branch moved"))
        }
    });
    let refused = Rc::clone(&conflict);
    callbacks.push_update_reference(move |_reference, problem| match problem {
        None => Ok(()),
        Some(problem) => {
            let problem = problem.to_owned();
            // What a server says whose branch moved between its greeting and the push.
            if ["fetch first", "non-fast-forward", "lock", "reference already exists", "stale info"]
                .iter()
                .any(|words| problem.contains(words))
            {
                *refused.borrow_mut() = Some(None);
            }
            Err(git2::Error::from_str(&problem))
        }
    });
    let failed = |cause| repository::Error::Push { remote: remote.shown(), cause };
    // The push needs a name on this side; one of its own, so that the mirror's branch stays what was fetched.
    let local = format!("refs/stoa/push/{commit}");
    let mut reference = handle
        .reference(&local, oid(commit)?, true, "stoa: push")
        .map_err(repository::Error::on("name a commit"))?;
    let mut options = git2::PushOptions::new();
    options.remote_callbacks(callbacks);
    let refspec = format!("{local}:{}", remote.reference());
    let pushed = handle
        .remote_anonymous(&remote.url)
        .and_then(|mut connection| connection.push(&[refspec.as_str()], Some(&mut options)));
    drop(options);
    reference.delete().map_err(repository::Error::on("drop the name of a commit"))?;
    match pushed {
        Ok(()) => Ok(()),
        Err(_) if conflict.borrow().is_some() => {
            Err(WriteError::Conflict { head: conflict.borrow().clone().flatten() })
        }
        Err(cause) if cause.code() == git2::ErrorCode::NotFastForward => {
            Err(WriteError::Conflict { head: None })
        }
        Err(cause) => Err(failed(cause).into()),
    }
}
