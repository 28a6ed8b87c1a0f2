//! How far the catalogue topics are written.

use std::collections::BTreeMap;

use sqlx::Row as _;

use super::{Error, Store, Tx};

impl Store {
    /// The next offset of each partition of each catalogue topic, as far as this epoch's relay wrote them.
    pub(crate) async fn catalog_positions(&self) -> Result<BTreeMap<(String, i32), i64>, Error> {
        let rows = sqlx::query("SELECT topic, part, next_offset FROM catalog_positions")
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                let partition: i64 = row.try_get(1)?;
                Ok(((row.try_get(0)?, i32::try_from(partition).unwrap_or_default()), row.try_get(2)?))
            })
            .collect()
    }

    /// Moves a position forward.
    pub(crate) async fn set_catalog_position(
        &self,
        tx: &mut Tx,
        topic: &str,
        partition: i32,
        next_offset: i64,
    ) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO catalog_positions (topic, part, next_offset) VALUES ($1, $2, $3) \
             ON CONFLICT (topic, part) DO UPDATE SET next_offset = excluded.next_offset",
        )
        .bind(topic.to_owned())
        .bind(i64::from(partition))
        .bind(next_offset)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Forgets every position: the broker that they belong to is lost.
    pub(crate) async fn clear_catalog_positions(&self, tx: &mut Tx) -> Result<(), Error> {
        sqlx::query("DELETE FROM catalog_positions").execute(&mut **tx).await?;
        Ok(())
    }
}
