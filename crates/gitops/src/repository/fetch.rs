//! Bringing the remote's branch into the mirror.

use domain::id::CommitId;
use secrecy::ExposeSecret;

use super::{Error, Remote, Repository, commit_id};

impl Repository {
    /// Fetches the branch, also when its history was rewritten, and tells its head: `None` while it is empty.
    pub fn fetch(&self) -> Result<Option<CommitId>, Error> {
        let _one_at_a_time = self.transfer();
        self.with(|handle| fetch(handle, self.remote()))?;
        self.head()
    }

    /// The head of the branch as it was last fetched.
    pub fn head(&self) -> Result<Option<CommitId>, Error> {
        self.with(|handle| match handle.refname_to_id(&self.remote().reference()) {
            Ok(oid) => Ok(Some(commit_id(oid))),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(cause) => Err(Error::Storage { attempt: "read the branch", cause }),
        })
    }
}

fn fetch(handle: &git2::Repository, remote: &Remote) -> Result<(), Error> {
    let failed = |cause| Error::Fetch { remote: remote.shown(), cause };
    let mut connection = handle.remote_anonymous(&remote.url).map_err(failed)?;
    let mut options = git2::FetchOptions::new();
    options.remote_callbacks(callbacks(remote));
    options.download_tags(git2::AutotagOption::None).update_fetchhead(false);
    let reference = remote.reference();
    let refspec = format!("+{reference}:{reference}");
    match connection.fetch(&[refspec.as_str()], Some(&mut options), None) {
        Ok(()) => {}
        // A remote without any commit has no branch to name.
        Err(error)
            if error.code() == git2::ErrorCode::NotFound && remote.folder().is_none_or(|it| it.exists()) => {}
        Err(cause) => return Err(failed(cause)),
    }
    forget_deleted(handle, &mut connection, remote)
}

/// A branch that the remote no longer has is no longer the desired state here either.
fn forget_deleted(
    handle: &git2::Repository,
    connection: &mut git2::Remote<'_>,
    remote: &Remote,
) -> Result<(), Error> {
    let failed = |cause| Error::Fetch { remote: remote.shown(), cause };
    let reference = remote.reference();
    let listed = connection.connect_auth(git2::Direction::Fetch, Some(callbacks(remote)), None);
    let there = {
        let connection = listed.map_err(failed)?;
        let heads = connection.list().map_err(failed)?;
        heads.iter().any(|head| head.name() == reference)
    };
    if !there && let Ok(mut branch) = handle.find_reference(&reference) {
        branch.delete().map_err(Error::on("forget a deleted branch"))?;
    }
    Ok(())
}

/// Answers what a remote asks for, once: libgit2 would ask for ever if an answer is refused.
pub(crate) fn callbacks(remote: &Remote) -> git2::RemoteCallbacks<'static> {
    let mut callbacks = git2::RemoteCallbacks::new();
    let credentials = remote.credentials.clone();
    let mut asked = false;
    callbacks.credentials(move |_url, _user, _allowed| match &credentials {
        Some(credentials) if !asked => {
            asked = true;
            git2::Cred::userpass_plaintext(&credentials.username, credentials.secret.expose_secret())
        }
        Some(_) => Err(git2::Error::from_str("the remote refused the credentials")),
        None => Err(git2::Error::from_str("the remote asks for credentials, and none are set")),
    });
    callbacks
}
