//! What a tenant's stream shows: numbered without gaps, so that a reader that reconnects misses nothing.

use jiff::Timestamp;
use sqlx::Row as _;

use super::{Error, Store, Tx, millis, time};

/// An event of a tenant's stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamEvent {
    pub(crate) sequence: i64,
    /// The event's name, such as `deployment-finished`.
    pub(crate) kind: String,
    /// JSON.
    pub(crate) data: String,
    pub(crate) at: Timestamp,
}

impl Store {
    /// Appends an event, unless one with the same `ce_id` is there.
    ///
    /// The tenant's row in `stream_heads` is locked first, so numbers become visible in their order.
    pub(crate) async fn append_stream(
        &self,
        tx: &mut Tx,
        tenant: &str,
        ce_id: &str,
        kind: &str,
        data: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        sqlx::query("INSERT INTO stream_heads (tenant, last) VALUES ($1, 0) ON CONFLICT (tenant) DO UPDATE SET last = stream_heads.last")
            .bind(tenant.to_owned())
            .execute(&mut **tx)
            .await?;
        let added = sqlx::query(
            "INSERT INTO stream_events (tenant, sequence, ce_id, kind, data, at) \
             SELECT tenant, last + 1, $2, $3, $4, $5 FROM stream_heads WHERE tenant = $1 \
             ON CONFLICT DO NOTHING",
        )
        .bind(tenant.to_owned())
        .bind(ce_id.to_owned())
        .bind(kind.to_owned())
        .bind(data.to_owned())
        .bind(millis(at))
        .execute(&mut **tx)
        .await?;
        if added.rows_affected() == 1 {
            sqlx::query("UPDATE stream_heads SET last = last + 1 WHERE tenant = $1")
                .bind(tenant.to_owned())
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }

    /// The events of a tenant after a number, in order.
    pub(crate) async fn stream_after(
        &self,
        tenant: &str,
        after: i64,
        limit: i64,
    ) -> Result<Vec<StreamEvent>, Error> {
        let rows = sqlx::query(
            "SELECT sequence, kind, data, at FROM stream_events WHERE tenant = $1 AND sequence > $2 \
             ORDER BY sequence LIMIT $3",
        )
        .bind(tenant.to_owned())
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(StreamEvent {
                    sequence: row.try_get(0)?,
                    kind: row.try_get(1)?,
                    data: row.try_get(2)?,
                    at: time(row.try_get(3)?),
                })
            })
            .collect()
    }

    /// The number of the newest event of a tenant.
    pub(crate) async fn stream_head(&self, tenant: &str) -> Result<i64, Error> {
        let row = sqlx::query("SELECT last FROM stream_heads WHERE tenant = $1")
            .bind(tenant.to_owned())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::store;

    #[tokio::test]
    async fn events_are_numbered_per_tenant_without_gaps_and_once() {
        let (store, _dir) = store().await;
        let mut tx = store.begin().await.unwrap();
        for (tenant, id) in [("acme", "1"), ("acme", "1"), ("globex", "1"), ("acme", "2")] {
            store.append_stream(&mut tx, tenant, id, "kind", "{}", Timestamp::UNIX_EPOCH).await.unwrap();
        }
        tx.commit().await.unwrap();
        let numbers =
            |events: Vec<StreamEvent>| events.iter().map(|event| event.sequence).collect::<Vec<_>>();
        assert_eq!(numbers(store.stream_after("acme", 0, 10).await.unwrap()), [1, 2]);
        assert_eq!(numbers(store.stream_after("acme", 1, 10).await.unwrap()), [2]);
        assert_eq!(store.stream_head("globex").await.unwrap(), 1);
        assert_eq!(store.stream_head("nobody").await.unwrap(), 0);
    }
}
