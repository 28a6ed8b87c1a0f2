//! The state at a commit that is not relayed yet: where a command decides.

use domain::id::CommitId;
use gitops::{Repository, effective::Span, repository};

use super::Desired;
use crate::commands::check_openapi;

impl Desired {
    /// The state at `commit`, which the mirror must hold; by the same rules as the relay's. Blocks.
    pub(crate) fn ahead(
        &self,
        repository: &Repository,
        commit: &CommitId,
    ) -> Result<Self, repository::Error> {
        let changed = repository.changes(self.commit(), commit)?;
        let advance =
            self.effective.advance(commit, &changed, Span::Collapsed, repository, &check_openapi)?;
        Ok(Self::of(&advance.effective, self.revision))
    }
}
