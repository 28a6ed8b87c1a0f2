//! A remote on disk, people who push to it, and the platform's mirror of it.

use std::path::Path;

use domain::id::CommitId;
use gitops::{
    Effective, Remote, Repository, Trailers, Writer,
    effective::{Change, EntityChange, Followed, follow},
};
use jiff::Timestamp;
use secrecy::SecretSlice;
use tempfile::TempDir;

pub(crate) const REFERENCE: &str = "refs/heads/main";

pub(crate) struct World {
    folder: TempDir,
    pub(crate) mirror: Repository,
    pub(crate) trailers: Trailers,
    pub(crate) state: Effective,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Repository::create_remote(&folder.path().join("remote.git"), "main").unwrap();
        let mirror = mirror(folder.path(), "mirror.git");
        let trailers = Trailers::new(&SecretSlice::from(vec![7; 32]));
        Self { folder, mirror, trailers, state: Effective::default() }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Another replica, with a mirror of its own.
    pub(crate) fn replica(&self, name: &str) -> Writer {
        Writer::new(mirror(self.folder.path(), name), self.trailers.clone())
    }

    pub(crate) fn writer(&self) -> Writer {
        Writer::new(self.mirror.clone(), self.trailers.clone())
    }

    pub(crate) fn remote(&self) -> git2::Repository {
        git2::Repository::open_bare(self.folder.path().join("remote.git")).unwrap()
    }

    /// A commit on these parents, with the files of the first changed; the branch does not move.
    pub(crate) fn commit(&self, parents: &[&CommitId], files: &[(&str, Option<&str>)]) -> CommitId {
        let remote = self.remote();
        let parents: Vec<_> =
            parents.iter().map(|id| remote.find_commit(id.as_str().parse().unwrap()).unwrap()).collect();
        let empty = remote.find_tree(remote.treebuilder(None).unwrap().write().unwrap()).unwrap();
        let before = parents.first().map_or(empty, |parent| parent.tree().unwrap());
        let mut update = git2::build::TreeUpdateBuilder::new();
        for (path, text) in files {
            match text {
                Some(text) => {
                    let blob = remote.blob(text.as_bytes()).unwrap();
                    update.upsert(*path, blob, git2::FileMode::Blob);
                }
                None => drop(update.remove(*path)),
            }
        }
        let tree = remote.find_tree(update.create_updated(&remote, &before).unwrap()).unwrap();
        let who = git2::Signature::new("Grace", "grace@x.org", &git2::Time::new(1_700_000_000, 0)).unwrap();
        let parents: Vec<_> = parents.iter().collect();
        let message = format!("A change to {} files", files.len());
        remote.commit(None, &who, &who, &message, &tree, &parents).unwrap().to_string().parse().unwrap()
    }

    /// Moves the branch, by force if need be.
    pub(crate) fn push(&self, commit: &CommitId) {
        let id = commit.as_str().parse().unwrap();
        self.remote().reference(REFERENCE, id, true, "push").unwrap();
    }

    /// Fetches and follows the branch, as the relay does.
    pub(crate) fn look(&mut self) -> Followed {
        let head = self.mirror.fetch().unwrap().unwrap();
        let followed = self.follow_from(&self.state, &head);
        self.state = followed.effective.clone();
        followed
    }

    pub(crate) fn follow_from(&self, former: &Effective, to: &CommitId) -> Followed {
        follow(&self.mirror, former, to, 200, &self.trailers, &check).unwrap()
    }
}

fn mirror(folder: &Path, name: &str) -> Repository {
    let remote = Remote::at(folder.join("remote.git").display().to_string());
    Repository::open_or_create(remote, &folder.join(name)).unwrap()
}

pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    if bytes.starts_with(b"openapi") { Ok(()) } else { Err("no OpenAPI document".to_owned()) }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(crate) fn tenant(description: &str) -> String {
    format!("id: acme\ndescription: {description}\n")
}

pub(crate) const TENANT: &str = "tenants/acme/tenant.yaml";

pub(crate) fn told(changes: &[EntityChange]) -> Vec<String> {
    changes
        .iter()
        .map(|it| match it.change {
            Change::Created(_) => format!("+ {}", it.path),
            Change::Updated { .. } => format!("~ {}", it.path),
            Change::Removed(_) => format!("- {}", it.path),
        })
        .collect()
}

/// The changes of each step.
pub(crate) fn steps(followed: &Followed) -> Vec<Vec<String>> {
    followed.steps.iter().map(|step| told(&step.changes)).collect()
}
