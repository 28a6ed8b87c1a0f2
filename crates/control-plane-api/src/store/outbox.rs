//! The outbox: what is wanted now and is no desired state, from the answer to whoever asked to the relay's step.

use std::collections::{BTreeSet, HashSet};

use domain::{
    id::Revision,
    name::{ApiName, EnvironmentName, GatewayName, TenantName},
};
use jiff::Timestamp;
use sqlx::{Row as _, any::AnyRow};

use super::{Error, Store, Tx, millis, time};

/// Rows that one step takes at most.
const STEP: i64 = 500;

/// A deployment that is to be brought to its gateways once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WantedSync {
    /// The request that wants it, as the trailer of a commit would name it.
    pub(crate) request: String,
    pub(crate) tenant: TenantName,
    pub(crate) api: ApiName,
    pub(crate) environment: EnvironmentName,
    /// None means all of the deployment.
    pub(crate) gateways: BTreeSet<GatewayName>,
    pub(crate) actor: String,
    pub(crate) at: Timestamp,
}

const COLUMNS: &str = "request, tenant, api, environment, gateways, actor, created_at";

impl Store {
    /// Puts a sync into the outbox; a repeat of its request changes nothing.
    pub(crate) async fn add_sync(&self, tx: &mut Tx, sync: &WantedSync) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO outbox (request, tenant, api, environment, gateways, actor, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (request) DO NOTHING",
        )
        .bind(sync.request.clone())
        .bind(sync.tenant.to_string())
        .bind(sync.api.to_string())
        .bind(sync.environment.to_string())
        .bind(serde_json::to_string(&sync.gateways).unwrap_or_default())
        .bind(sync.actor.clone())
        .bind(millis(sync.at))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Whether a sync waits for a step.
    pub(crate) async fn has_waiting_syncs(&self) -> Result<bool, Error> {
        let found = sqlx::query("SELECT 1 FROM outbox WHERE revision IS NULL LIMIT 1");
        Ok(found.fetch_optional(&self.pool).await?.is_some())
    }

    /// Gives the oldest syncs that wait to a step, of each deployment one: its orders have one request.
    pub(super) async fn take_syncs(&self, tx: &mut Tx, revision: Revision) -> Result<(), Error> {
        let rows = sqlx::query(
            "SELECT request, tenant, api, environment FROM outbox WHERE revision IS NULL \
             ORDER BY created_at, request LIMIT $1",
        )
        .bind(STEP)
        .fetch_all(&mut **tx)
        .await?;
        let mut taken: HashSet<[String; 3]> = HashSet::new();
        for row in &rows {
            let request: String = row.try_get(0)?;
            if !taken.insert([row.try_get(1)?, row.try_get(2)?, row.try_get(3)?]) {
                continue;
            }
            sqlx::query("UPDATE outbox SET revision = $1 WHERE request = $2")
                .bind(revision.0)
                .bind(request)
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }

    /// The syncs that a step has taken.
    pub(crate) async fn taken_syncs(&self, revision: Revision) -> Result<Vec<WantedSync>, Error> {
        let statement =
            format!("SELECT {COLUMNS} FROM outbox WHERE revision = $1 ORDER BY created_at, request");
        // Made of constants of this file.
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(revision.0);
        rows.fetch_all(&self.pool).await?.iter().map(sync).collect()
    }

    /// Removes the syncs that a step has taken, in the transaction that closes it.
    pub(crate) async fn remove_syncs(&self, tx: &mut Tx, revision: Revision) -> Result<(), Error> {
        sqlx::query("DELETE FROM outbox WHERE revision = $1").bind(revision.0).execute(&mut **tx).await?;
        Ok(())
    }
}

fn sync(row: &AnyRow) -> Result<WantedSync, Error> {
    let text = |at: usize| -> Result<String, sqlx::Error> { row.try_get(at) };
    let request = text(0)?;
    let read = || -> Option<WantedSync> {
        Some(WantedSync {
            request: request.clone(),
            tenant: text(1).ok()?.parse().ok()?,
            api: text(2).ok()?.parse().ok()?,
            environment: text(3).ok()?.parse().ok()?,
            gateways: serde_json::from_str(&text(4).ok()?).ok()?,
            actor: text(5).ok()?,
            at: time(row.try_get(6).ok()?),
        })
    };
    read().ok_or(Error::Corrupt { table: "outbox", row: request.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Step, StepKind, testing::store};

    fn sync(request: &str, api: &str, second: i64) -> WantedSync {
        WantedSync {
            request: request.to_owned(),
            tenant: "acme".parse().unwrap(),
            api: api.parse().unwrap(),
            environment: "dev".parse().unwrap(),
            gateways: BTreeSet::from(["edge".parse().unwrap()]),
            actor: "ada".to_owned(),
            at: Timestamp::from_second(second).unwrap(),
        }
    }

    #[tokio::test]
    async fn a_step_takes_what_waits_as_it_begins_and_of_each_deployment_the_oldest() {
        let (store, _dir) = store().await;
        let mut tx = store.begin().await.unwrap();
        let (pets, again, cats) = (sync("r2", "pets", 1), sync("r1", "pets", 2), sync("r3", "cats", 3));
        for sync in [&cats, &again, &pets, &pets] {
            store.add_sync(&mut tx, sync).await.unwrap();
        }
        tx.commit().await.unwrap();
        let step = |revision, kind| Step {
            revision: Revision(revision),
            from: None,
            to: "ab".repeat(20).parse().unwrap(),
            kind,
        };
        let end = async |revision| {
            let mut tx = store.begin().await.unwrap();
            store.remove_syncs(&mut tx, Revision(revision)).await.unwrap();
            store.close_step(&mut tx, Revision(revision), "a", Timestamp::UNIX_EPOCH).await.unwrap();
            tx.commit().await.unwrap();
        };
        // A step of another kind takes nothing.
        store.begin_step(&step(1, StepKind::Linear), "a", Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!(store.taken_syncs(Revision(1)).await.unwrap(), []);
        assert!(
            store.begin_step(&step(2, StepKind::Synced), "b", Timestamp::UNIX_EPOCH).await.is_err(),
            "one step is open at a time"
        );
        assert_eq!(store.taken_syncs(Revision(2)).await.unwrap(), []);
        end(1).await;
        store.begin_step(&step(2, StepKind::Synced), "a", Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!(store.taken_syncs(Revision(2)).await.unwrap(), [pets, cats]);
        assert!(store.has_waiting_syncs().await.unwrap());
        end(2).await;
        store.begin_step(&step(3, StepKind::Synced), "a", Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!(store.taken_syncs(Revision(3)).await.unwrap(), [again]);
        assert!(!store.has_waiting_syncs().await.unwrap());
    }
}
