//! Commits: who made them, and how two of them relate.

use domain::id::CommitId;
use jiff::Timestamp;

use super::{Error, Repository, commit_id, oid};

/// What a commit says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitInfo {
    /// The commit.
    pub id: CommitId,
    /// The id of its files.
    pub tree: CommitId,
    /// The commits before it; the first is the line that it continues.
    pub parents: Vec<CommitId>,
    /// Whom it names as author; nobody has checked that.
    pub author_name: String,
    /// The author's e-mail address, as named.
    pub author_email: String,
    /// When it was committed, as named.
    pub time: Timestamp,
    /// The whole message.
    pub message: String,
}

/// How the branch went from one commit to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// It did not.
    Same,
    /// By these commits, oldest first, each on top of the one before.
    Commits(Vec<CommitInfo>),
    /// By commits that are not told one by one: there was no commit before.
    Beginning(CommitInfo),
    /// By more commits than the limit.
    TooLong(CommitInfo),
    /// By a merge that has `from` on a side line, as `git pull` makes it: the commits of its first line did not
    /// stand on `from`, so told one by one they would undo and redo what is on it.
    Merged(CommitInfo),
    /// `from` is not in the history of `to`: somebody forced a push.
    Rewritten(CommitInfo),
}

impl Repository {
    /// What a commit says about itself.
    pub fn commit_info(&self, commit: &CommitId) -> Result<CommitInfo, Error> {
        self.with(|handle| info(handle, oid(commit)?, commit))
    }

    /// Whether the mirror has the commit, as last fetched.
    pub fn holds(&self, commit: &CommitId) -> Result<bool, Error> {
        self.with(|handle| Ok(handle.find_commit(oid(commit)?).is_ok()))
    }

    /// Whether `ancestor` is `commit` or in its history.
    pub fn is_ancestor(&self, ancestor: &CommitId, commit: &CommitId) -> Result<bool, Error> {
        self.with(|handle| is_ancestor(handle, ancestor, commit))
    }

    /// How the branch went from `from` to `to`, told commit by commit along first parents up to `limit`.
    pub fn first_parent_commits(
        &self,
        from: Option<&CommitId>,
        to: &CommitId,
        limit: usize,
    ) -> Result<Line, Error> {
        self.with(|handle| {
            let last = info(handle, oid(to)?, to)?;
            let Some(from) = from else { return Ok(Line::Beginning(last)) };
            if from == to {
                return Ok(Line::Same);
            }
            if handle.find_commit(oid(from)?).is_err() || !is_ancestor(handle, from, to)? {
                return Ok(Line::Rewritten(last));
            }
            let mut commits = vec![last.clone()];
            loop {
                let parent = commits.last().and_then(|commit| commit.parents.first()).cloned();
                match parent {
                    Some(parent) if parent == *from => {
                        commits.reverse();
                        return Ok(Line::Commits(commits));
                    }
                    // Behind the limit the two cases need not be told apart.
                    Some(_) if commits.len() >= limit => return Ok(Line::TooLong(last)),
                    // Once the line is in the history of `from`, it will not come to it any more.
                    Some(parent) if is_ancestor(handle, &parent, from)? => return Ok(Line::Merged(last)),
                    Some(parent) => commits.push(info(handle, oid(&parent)?, &parent)?),
                    None => return Ok(Line::Merged(last)),
                }
            }
        })
    }

    /// The newest commit at or before `head`, along first parents, that `wanted` accepts; stops behind `until` or
    /// after `limit` commits.
    pub fn find_commit(
        &self,
        head: &CommitId,
        until: Option<&CommitId>,
        limit: usize,
        wanted: impl Fn(&CommitInfo) -> bool,
    ) -> Result<Option<CommitInfo>, Error> {
        self.with(|handle| {
            let mut next = Some(head.clone());
            for _ in 0..limit {
                let Some(id) = next.filter(|id| Some(id) != until) else { break };
                let commit = info(handle, oid(&id)?, &id)?;
                if wanted(&commit) {
                    return Ok(Some(commit));
                }
                next = commit.parents.first().cloned();
            }
            Ok(None)
        })
    }
}

pub(super) fn is_ancestor(
    handle: &git2::Repository,
    ancestor: &CommitId,
    commit: &CommitId,
) -> Result<bool, Error> {
    if ancestor == commit {
        return Ok(true);
    }
    handle
        .graph_descendant_of(oid(commit)?, oid(ancestor)?)
        .map_err(Error::on("compare two commits' histories"))
}

fn info(handle: &git2::Repository, id: git2::Oid, shown: &CommitId) -> Result<CommitInfo, Error> {
    let commit = handle.find_commit(id).map_err(|_| Error::NoSuchCommit(shown.clone()))?;
    let author = commit.author();
    Ok(CommitInfo {
        id: commit_id(id),
        tree: commit_id(commit.tree_id()),
        parents: commit.parent_ids().map(commit_id).collect(),
        author_name: String::from_utf8_lossy(author.name_bytes()).into_owned(),
        author_email: String::from_utf8_lossy(author.email_bytes()).into_owned(),
        time: Timestamp::from_second(commit.time().seconds()).unwrap_or_default(),
        message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
    })
}
