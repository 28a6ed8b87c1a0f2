//! Changes followed from their commit to the gateways.

use domain::name::TenantName;
use jiff::Timestamp;
use sqlx::{Row as _, any::AnyRow};

use super::{Error, Store, Tx, millis, time};

/// A trace as the relay opens it.
#[derive(Clone, Debug)]
pub(crate) struct NewTrace {
    pub(crate) id: String,
    pub(crate) tenant: String,
    /// `api`, `push`, `request` or `recovery`.
    pub(crate) cause: &'static str,
    pub(crate) actor: String,
    pub(crate) commit: String,
    pub(crate) message: String,
    pub(crate) revision: i64,
    pub(crate) at: Timestamp,
}

/// A trace as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceRow {
    pub(crate) id: String,
    pub(crate) tenant: String,
    pub(crate) cause: String,
    pub(crate) actor: String,
    pub(crate) commit: String,
    pub(crate) message: String,
    pub(crate) revision: i64,
    /// `in_progress`, `success` or `failed`.
    pub(crate) status: String,
    pub(crate) created_at: Timestamp,
    pub(crate) completed_at: Option<Timestamp>,
}

/// An entry of a trace's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceEntry {
    /// Id of the cause; a repeat is not written again.
    pub(crate) ce_id: String,
    pub(crate) name: String,
    /// `success`, `failed` or `in_progress`.
    pub(crate) status: String,
    pub(crate) detail: Option<String>,
    pub(crate) at: Timestamp,
}

impl Store {
    /// Opens a trace; a repeat changes nothing.
    pub(crate) async fn open_trace(&self, tx: &mut Tx, new: &NewTrace) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO traces (id, tenant, cause, actor, commit_id, message, revision, status, pending, failed, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'in_progress', 0, 0, $8) ON CONFLICT (id) DO NOTHING",
        )
        .bind(new.id.clone())
        .bind(new.tenant.clone())
        .bind(new.cause.to_owned())
        .bind(new.actor.clone())
        .bind(new.commit.clone())
        .bind(new.message.clone())
        .bind(new.revision)
        .bind(millis(new.at))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Adds an entry; a repeat changes nothing.
    pub(crate) async fn add_trace_entry(
        &self,
        tx: &mut Tx,
        trace: &str,
        entry: &TraceEntry,
    ) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO trace_entries (trace, sequence, ce_id, name, status, detail, at) \
             SELECT $1, COALESCE(MAX(sequence), 0) + 1, $2, $3, $4, $5, $6 FROM trace_entries WHERE trace = $1 \
             ON CONFLICT DO NOTHING",
        )
        .bind(trace.to_owned())
        .bind(entry.ce_id.clone())
        .bind(entry.name.clone())
        .bind(entry.status.clone())
        .bind(entry.detail.clone())
        .bind(millis(entry.at))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Says how many orders a trace waits for and whether something has failed already.
    pub(crate) async fn expect_of_trace(
        &self,
        tx: &mut Tx,
        trace: &str,
        orders: i64,
        failures: i64,
        now: Timestamp,
    ) -> Result<(), Error> {
        sqlx::query("UPDATE traces SET pending = $1, failed = $2 WHERE id = $3")
            .bind(orders)
            .bind(failures)
            .bind(trace.to_owned())
            .execute(&mut **tx)
            .await?;
        complete(tx, trace, now).await
    }

    /// Notes that an order of a trace has ended.
    pub(crate) async fn end_of_trace_order(
        &self,
        tx: &mut Tx,
        trace: &str,
        failed: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        sqlx::query("UPDATE traces SET pending = pending - 1, failed = failed + $1 WHERE id = $2")
            .bind(i64::from(failed))
            .bind(trace.to_owned())
            .execute(&mut **tx)
            .await?;
        complete(tx, trace, now).await
    }

    /// The newest traces before a position, newest first; of one tenant, or of all.
    pub(crate) async fn traces(
        &self,
        tenant: Option<&TenantName>,
        status: Option<&str>,
        before: Option<(i64, &str)>,
        limit: i64,
    ) -> Result<Vec<TraceRow>, Error> {
        let (revision, id) = before.unwrap_or((i64::MAX, ""));
        let rows = sqlx::query(
            "SELECT id, tenant, cause, actor, commit_id, message, revision, status, created_at, completed_at \
             FROM traces WHERE (tenant = $1 OR $1 = '') AND (status = $2 OR $2 = '') \
             AND (revision < $3 OR (revision = $3 AND id < $4)) ORDER BY revision DESC, id DESC LIMIT $5",
        )
        .bind(tenant.map(ToString::to_string).unwrap_or_default())
        .bind(status.unwrap_or_default().to_owned())
        .bind(revision)
        .bind(id.to_owned())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(trace).collect()
    }

    /// One trace.
    pub(crate) async fn trace(&self, id: &str) -> Result<Option<TraceRow>, Error> {
        let row = sqlx::query(
            "SELECT id, tenant, cause, actor, commit_id, message, revision, status, created_at, completed_at \
             FROM traces WHERE id = $1",
        )
        .bind(id.to_owned())
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(trace).transpose()
    }

    /// The timeline of a trace, in the order of what happened: steps and results come by topics of their own.
    pub(crate) async fn trace_entries(&self, id: &str) -> Result<Vec<TraceEntry>, Error> {
        let rows = sqlx::query("SELECT ce_id, name, status, detail, at FROM trace_entries WHERE trace = $1 ORDER BY at, sequence LIMIT 10000")
            .bind(id.to_owned())
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(TraceEntry {
                    ce_id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    status: row.try_get(2)?,
                    detail: row.try_get(3)?,
                    at: time(row.try_get(4)?),
                })
            })
            .collect()
    }
}

async fn complete(tx: &mut Tx, trace: &str, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "UPDATE traces SET status = CASE WHEN failed > 0 THEN 'failed' ELSE 'success' END, completed_at = $1 \
         WHERE id = $2 AND pending <= 0",
    )
    .bind(millis(now))
    .bind(trace.to_owned())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn trace(row: &AnyRow) -> Result<TraceRow, Error> {
    let completed_at: Option<i64> = row.try_get(9)?;
    Ok(TraceRow {
        id: row.try_get(0)?,
        tenant: row.try_get(1)?,
        cause: row.try_get(2)?,
        actor: row.try_get(3)?,
        commit: row.try_get(4)?,
        message: row.try_get(5)?,
        revision: row.try_get(6)?,
        status: row.try_get(7)?,
        created_at: time(row.try_get(8)?),
        completed_at: completed_at.map(time),
    })
}
