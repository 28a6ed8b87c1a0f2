//! The relay's steps.

use domain::id::{CommitId, Revision};
use jiff::Timestamp;
use sqlx::{Row as _, any::AnyRow};

use super::{Error, Store, Tx, millis};

/// How a step relates to what was relayed before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepKind {
    /// Commit by commit along first parents.
    Linear,
    /// Too many commits: one step over all of them.
    Collapsed,
    /// The commit relayed before is no ancestor any more: one step from the one state to the other.
    Rewritten,
    /// The whole state again, because the broker was lost or the validator has changed.
    Republished,
    /// What the outbox wants, at the commit that was relayed last.
    Synced,
}

impl StepKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Collapsed => "collapsed",
            Self::Rewritten => "rewritten",
            Self::Republished => "republished",
            Self::Synced => "synced",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Linear, Self::Collapsed, Self::Rewritten, Self::Republished, Self::Synced]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A step from one commit to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) revision: Revision,
    pub(crate) from: Option<CommitId>,
    pub(crate) to: CommitId,
    pub(crate) kind: StepKind,
}

impl Store {
    /// The step that is open, if any.
    pub(crate) async fn open_step(&self) -> Result<Option<Step>, Error> {
        let row = sqlx::query(
            "SELECT revision, from_commit, to_commit, kind FROM relay_steps WHERE state = 'open'",
        )
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(step).transpose()
    }

    /// The step that was closed last, if any.
    pub(crate) async fn last_step(&self) -> Result<Option<Step>, Error> {
        let row = sqlx::query(
            "SELECT revision, from_commit, to_commit, kind FROM relay_steps WHERE state = 'closed' \
             ORDER BY revision DESC LIMIT 1",
        )
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(step).transpose()
    }

    /// Opens `step` for `holder`, unless another replica has opened one since; a syncing one takes what waits.
    pub(crate) async fn begin_step(&self, step: &Step, holder: &str, now: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let opened = sqlx::query(
            "INSERT INTO relay_steps (revision, from_commit, to_commit, kind, holder, state, opened_at) \
             VALUES ($1, $2, $3, $4, $5, 'open', $6) ON CONFLICT DO NOTHING",
        )
        .bind(step.revision.0)
        .bind(step.from.as_ref().map(ToString::to_string))
        .bind(step.to.to_string())
        .bind(step.kind.as_str().to_owned())
        .bind(holder.to_owned())
        .bind(millis(now))
        .execute(&mut *tx)
        .await?;
        if opened.rows_affected() != 1 {
            return Err(Error::TakenOver { what: "the relay" });
        }
        if step.kind == StepKind::Synced {
            self.take_syncs(&mut tx, step.revision).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Makes `holder` the one who finishes the open step.
    pub(crate) async fn take_step(&self, revision: Revision, holder: &str) -> Result<(), Error> {
        let taken = sqlx::query("UPDATE relay_steps SET holder = $1 WHERE revision = $2 AND state = 'open'")
            .bind(holder.to_owned())
            .bind(revision.0)
            .execute(&self.pool)
            .await?;
        if taken.rows_affected() == 1 { Ok(()) } else { Err(Error::TakenOver { what: "the relay" }) }
    }

    /// Fails when `holder` holds the open step no more.
    pub(crate) async fn check_step(&self, revision: Revision, holder: &str) -> Result<(), Error> {
        let held =
            sqlx::query("SELECT 1 FROM relay_steps WHERE revision = $1 AND holder = $2 AND state = 'open'")
                .bind(revision.0)
                .bind(holder.to_owned())
                .fetch_optional(&self.pool)
                .await?;
        if held.is_some() { Ok(()) } else { Err(Error::TakenOver { what: "the relay" }) }
    }

    /// Closes the step in the transaction of all that it leaves behind.
    pub(crate) async fn close_step(
        &self,
        tx: &mut Tx,
        revision: Revision,
        holder: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let closed = sqlx::query(
            "UPDATE relay_steps SET state = 'closed', closed_at = $1 \
             WHERE revision = $2 AND holder = $3 AND state = 'open'",
        )
        .bind(millis(now))
        .bind(revision.0)
        .bind(holder.to_owned())
        .execute(&mut **tx)
        .await?;
        if closed.rows_affected() == 1 { Ok(()) } else { Err(Error::TakenOver { what: "the relay" }) }
    }
}

fn step(row: &AnyRow) -> Result<Step, Error> {
    let revision: i64 = row.try_get(0)?;
    let from: Option<String> = row.try_get(1)?;
    let to: String = row.try_get(2)?;
    let kind: String = row.try_get(3)?;
    let corrupt = || Error::Corrupt { table: "relay_steps", row: revision.to_string() };
    Ok(Step {
        revision: Revision(revision),
        from: from.map(CommitId::try_from).transpose().map_err(|_| corrupt())?,
        to: CommitId::try_from(to).map_err(|_| corrupt())?,
        kind: StepKind::parse(&kind).ok_or_else(corrupt)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::store;

    fn first() -> Step {
        Step {
            revision: Revision(1),
            from: None,
            to: "ab".repeat(20).parse().unwrap(),
            kind: StepKind::Linear,
        }
    }

    #[tokio::test]
    async fn one_step_is_open_at_a_time_and_only_its_holder_closes_it() {
        let (store, _dir) = store().await;
        let now = Timestamp::UNIX_EPOCH;
        store.begin_step(&first(), "a", now).await.unwrap();
        let second = Step { revision: Revision(2), ..first() };
        assert!(matches!(store.begin_step(&second, "b", now).await, Err(Error::TakenOver { .. })));
        assert_eq!(store.open_step().await.unwrap(), Some(first()));

        store.take_step(Revision(1), "b").await.unwrap();
        assert!(matches!(store.check_step(Revision(1), "a").await, Err(Error::TakenOver { .. })));
        let mut tx = store.begin().await.unwrap();
        assert!(store.close_step(&mut tx, Revision(1), "a", now).await.is_err());
        store.close_step(&mut tx, Revision(1), "b", now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.open_step().await.unwrap(), None);
        assert_eq!(store.last_step().await.unwrap(), Some(first()));
        store.begin_step(&second, "b", now).await.unwrap();
    }
}
