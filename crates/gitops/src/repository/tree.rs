//! Files of a commit, and what differs between two.

use std::collections::BTreeMap;

use domain::id::CommitId;

use super::{BlobId, Error, Repository, oid};

/// The files of a commit: path to blob. Symbolic links and submodules are not followed and not listed.
pub type Tree = BTreeMap<String, BlobId>;

/// A file that differs between two commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathChange {
    /// The file.
    pub path: String,
    /// What it held before; `None` if it was not there.
    pub before: Option<BlobId>,
    /// What it holds now; `None` if it is gone.
    pub after: Option<BlobId>,
}

impl Repository {
    /// All files of a commit.
    pub fn tree(&self, commit: &CommitId) -> Result<Tree, Error> {
        let changes = self.changes(None, commit)?;
        Ok(changes.into_iter().filter_map(|it| Some((it.path, it.after?))).collect())
    }

    /// The files that differ between two commits, by comparing trees; all files of `to` where `from` is `None`.
    pub fn changes(&self, from: Option<&CommitId>, to: &CommitId) -> Result<Vec<PathChange>, Error> {
        self.with(|handle| {
            let before = from.map(|commit| tree_of(handle, commit)).transpose()?;
            let after = tree_of(handle, to)?;
            let mut changes = Vec::new();
            compare(handle, "", before.as_ref(), Some(&after), &mut changes)?;
            Ok(changes)
        })
    }

    /// The content of a blob.
    pub fn read(&self, blob: &BlobId) -> Result<Vec<u8>, Error> {
        self.with(|handle| find(handle, blob).map(|found| found.content().to_vec()))
    }

    /// The content of a blob, or its size alone if that is above `limit`.
    pub fn read_up_to(&self, blob: &BlobId, limit: usize) -> Result<Result<Vec<u8>, usize>, Error> {
        self.with(|handle| {
            let odb = handle.odb().map_err(Error::on("open the object store"))?;
            let id = git2::Oid::from_str(blob.as_str()).map_err(|_| Error::NoSuchBlob(blob.clone()))?;
            let (size, _) = odb.read_header(id).map_err(|_| Error::NoSuchBlob(blob.clone()))?;
            if size > limit {
                return Ok(Err(size));
            }
            find(handle, blob).map(|found| Ok(found.content().to_vec()))
        })
    }
}

fn find<'r>(handle: &'r git2::Repository, blob: &BlobId) -> Result<git2::Blob<'r>, Error> {
    git2::Oid::from_str(blob.as_str())
        .and_then(|id| handle.find_blob(id))
        .map_err(|_| Error::NoSuchBlob(blob.clone()))
}

pub(super) fn tree_of<'r>(handle: &'r git2::Repository, commit: &CommitId) -> Result<git2::Tree<'r>, Error> {
    let found = handle.find_commit(oid(commit)?).map_err(|_| Error::NoSuchCommit(commit.clone()))?;
    found.tree().map_err(Error::on("read a commit's files"))
}

/// An entry of a folder that counts.
#[derive(Clone, Copy, PartialEq)]
enum Entry {
    Folder(git2::Oid),
    File(git2::Oid),
}

/// Compares two folders; equal sub-folders are not entered, so the cost is that of what changed.
fn compare(
    handle: &git2::Repository,
    prefix: &str,
    before: Option<&git2::Tree<'_>>,
    after: Option<&git2::Tree<'_>>,
    changes: &mut Vec<PathChange>,
) -> Result<(), Error> {
    let (old, new) = (entries(before), entries(after));
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (was, is) = (old.get(name), new.get(name));
        if was == is {
            continue;
        }
        let path = format!("{prefix}{name}");
        let file = |entry: Option<&Entry>| match entry {
            Some(Entry::File(id)) => Some(BlobId(super::commit_id(*id))),
            _ => None,
        };
        let (file_before, file_after) = (file(was), file(is));
        if file_before.is_some() || file_after.is_some() {
            changes.push(PathChange { path: path.clone(), before: file_before, after: file_after });
        }
        let folder = |entry: Option<&Entry>| match entry {
            Some(Entry::Folder(id)) => {
                handle.find_tree(*id).map(Some).map_err(Error::on("read a folder of a commit"))
            }
            _ => Ok(None),
        };
        let (folder_before, folder_after) = (folder(was)?, folder(is)?);
        if folder_before.is_some() || folder_after.is_some() {
            compare(handle, &format!("{path}/"), folder_before.as_ref(), folder_after.as_ref(), changes)?;
        }
    }
    Ok(())
}

fn entries(tree: Option<&git2::Tree<'_>>) -> BTreeMap<String, Entry> {
    const FILE: i32 = 0o100_644;
    const PROGRAM: i32 = 0o100_755;
    let found = tree.into_iter().flat_map(git2::Tree::iter).filter_map(|entry| {
        // A name that is no text is the name of nothing we read.
        let name = entry.name().ok()?.to_owned();
        match (entry.kind(), entry.filemode()) {
            (Some(git2::ObjectType::Tree), _) => Some((name, Entry::Folder(entry.id()))),
            (Some(git2::ObjectType::Blob), FILE | PROGRAM) => Some((name, Entry::File(entry.id()))),
            _ => None,
        }
    });
    found.collect()
}
