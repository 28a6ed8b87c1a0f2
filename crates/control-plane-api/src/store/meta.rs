//! Single values.

use domain::id::{CommitId, Epoch};
use sqlx::Row as _;

use super::{Error, Store, Tx};

const EPOCH: &str = "epoch";
const CLUSTER: &str = "cluster-id";
const APPROVED: &str = "approved-removal";

impl Store {
    /// The broker's epoch; 1 until a broker was lost.
    pub(crate) async fn epoch(&self) -> Result<Epoch, Error> {
        let value = self.meta(EPOCH).await?;
        Ok(Epoch(value.and_then(|text| text.parse().ok()).unwrap_or(1)))
    }

    /// The broker's cluster id as it was when the store met it first.
    pub(crate) async fn cluster_id(&self) -> Result<Option<String>, Error> {
        self.meta(CLUSTER).await
    }

    /// Remembers the cluster of an epoch.
    pub(crate) async fn set_cluster(&self, tx: &mut Tx, epoch: Epoch, cluster: &str) -> Result<(), Error> {
        set(tx, EPOCH, &epoch.to_string()).await?;
        set(tx, CLUSTER, cluster).await
    }

    /// The commit whose removals a person has approved, however many they are.
    pub(crate) async fn approved_removal(&self) -> Result<Option<CommitId>, Error> {
        let text = self.meta(APPROVED).await?;
        let corrupt = |_| Error::Corrupt { table: "meta", row: APPROVED.to_owned() };
        text.map(CommitId::try_from).transpose().map_err(corrupt)
    }

    /// Notes that a person has approved what a commit removes.
    pub(crate) async fn approve_removal(&self, commit: &CommitId) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        set(&mut tx, APPROVED, commit.as_str()).await?;
        Ok(tx.commit().await?)
    }

    async fn meta(&self, name: &str) -> Result<Option<String>, Error> {
        let row = sqlx::query("SELECT value FROM meta WHERE name = $1")
            .bind(name.to_owned())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}

async fn set(tx: &mut Tx, name: &str, value: &str) -> Result<(), Error> {
    sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(name.to_owned())
        .bind(value.to_owned())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::store;

    #[tokio::test]
    async fn the_epoch_and_its_cluster_are_remembered() {
        let (store, _dir) = store().await;
        assert_eq!(store.epoch().await.unwrap(), Epoch(1));
        assert_eq!(store.cluster_id().await.unwrap(), None);
        let mut tx = store.begin().await.unwrap();
        store.set_cluster(&mut tx, Epoch(2), "abc").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.epoch().await.unwrap(), Epoch(2));
        assert_eq!(store.cluster_id().await.unwrap().as_deref(), Some("abc"));
    }
}
