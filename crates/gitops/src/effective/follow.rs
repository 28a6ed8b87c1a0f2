//! Following the branch: from the state at one commit to the state at another, told step by step.

use domain::id::CommitId;

use super::{Advance, Effective, EntityChange, OpenApiCheck, Span, changes};
use crate::{
    document::DocumentError,
    repository::{self, CommitInfo, Line, Repository},
    trailer::Trailers,
};

/// The way from one commit to another.
#[derive(Clone, Debug)]
pub struct Followed {
    /// How the branch went.
    pub line: Line,
    /// What each step changed, oldest first: one per commit, or a single one if the line is told as a whole.
    pub steps: Vec<Step>,
    /// The state at the end.
    pub effective: Effective,
}

/// What one commit changed, or several told as one.
#[derive(Clone, Debug)]
pub struct Step {
    /// The commit; the last of them if there were several.
    pub commit: CommitInfo,
    /// The request that the commit fulfils, if the commit is the platform's own.
    pub request: Option<String>,
    /// What changed, in an order in which it can be told.
    pub changes: Vec<EntityChange>,
    /// What is wrong or odd since.
    pub problems: Vec<DocumentError>,
}

/// Follows the branch from the state `former` to the commit `to`, one by one for at most `limit` commits.
///
/// Depends on nothing but its arguments and the commits themselves: repeated after a crash, it gives the same.
pub fn follow(
    repository: &Repository,
    former: &Effective,
    to: &CommitId,
    limit: usize,
    trailers: &Trailers,
    check: &OpenApiCheck<'_>,
) -> Result<Followed, repository::Error> {
    let line = repository.first_parent_commits(former.commit(), to, limit)?;
    let mut effective = former.clone();
    let mut steps = Vec::new();
    let mut take = |effective: &mut Effective, commit: &CommitInfo, advance: Advance, own: bool| {
        steps.push(Step {
            commit: commit.clone(),
            request: if own { trailers.verify(commit).map(str::to_owned) } else { None },
            changes: changes(effective, &advance.effective),
            problems: advance.problems,
        });
        *effective = advance.effective;
    };
    match &line {
        Line::Same => {}
        Line::Commits(commits) => {
            for commit in commits {
                let changed = repository.changes(effective.commit(), &commit.id)?;
                let advance = effective.advance(&commit.id, &changed, Span::Commit, repository, check)?;
                take(&mut effective, commit, advance, true);
            }
        }
        Line::Beginning(last) | Line::TooLong(last) | Line::Merged(last) | Line::Rewritten(last) => {
            let tree = repository.tree(&last.id)?;
            let advance = effective.advance_to_tree(&last.id, &tree, false, repository, check)?;
            // The last commit speaks for itself only, not for what came with it.
            let own = matches!(line, Line::Beginning(_)) && last.parents.is_empty();
            take(&mut effective, last, advance, own);
        }
    }
    Ok(Followed { line, steps, effective })
}
