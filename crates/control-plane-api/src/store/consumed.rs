//! How far projections have come.

use domain::id::Epoch;

use super::{Error, Tx};

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source<'a> {
    pub(crate) epoch: Epoch,
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

impl Source<'_> {
    /// Moves past the record in the transaction of what it causes.
    ///
    /// False when this or another replica has been past it before: then nothing of it may be written again.
    pub(crate) async fn pass(&self, tx: &mut Tx) -> Result<bool, Error> {
        let moved = sqlx::query(
            "INSERT INTO consumed (epoch, topic, part, next) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (epoch, topic, part) DO UPDATE SET next = excluded.next \
             WHERE consumed.next < excluded.next",
        )
        .bind(self.epoch.0)
        .bind(self.topic.to_owned())
        .bind(i64::from(self.partition))
        .bind(self.offset + 1)
        .execute(&mut **tx)
        .await?;
        Ok(moved.rows_affected() == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::store;

    #[tokio::test]
    async fn a_record_is_passed_once_in_its_epoch() {
        let (store, _dir) = store().await;
        let at =
            |epoch, offset| Source { epoch: Epoch(epoch), topic: "deploy-results", partition: 2, offset };
        let mut tx = store.begin().await.unwrap();
        assert!(at(1, 7).pass(&mut tx).await.unwrap());
        assert!(!at(1, 7).pass(&mut tx).await.unwrap());
        assert!(!at(1, 6).pass(&mut tx).await.unwrap());
        assert!(at(1, 9).pass(&mut tx).await.unwrap());
        assert!(at(2, 0).pass(&mut tx).await.unwrap());
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        assert!(at(1, 7).pass(&mut tx).await.unwrap(), "what was rolled back did not happen");
    }
}
