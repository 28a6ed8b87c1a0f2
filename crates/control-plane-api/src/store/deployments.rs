//! Orders and what became of them.

use domain::{
    id::{Epoch, Generation},
    name::{ApiName, EnvironmentName, TenantName},
};
use jiff::Timestamp;
use sqlx::{Row as _, any::AnyRow};
use uuid::Uuid;

use super::{Error, Store, Tx, millis, time};

/// An order as the relay wrote it.
#[derive(Clone, Debug)]
pub(crate) struct NewDeployment {
    pub(crate) order_id: Uuid,
    pub(crate) group: Uuid,
    pub(crate) tenant: String,
    pub(crate) api: String,
    pub(crate) environment: String,
    pub(crate) gateway: String,
    pub(crate) kind: String,
    pub(crate) generation: Generation,
    pub(crate) commit: String,
    pub(crate) content_commit: String,
    pub(crate) version: String,
    pub(crate) digest: String,
    pub(crate) actor: String,
    pub(crate) trace: String,
    pub(crate) ordered_at: Timestamp,
}

/// How an order ended.
#[derive(Clone, Debug)]
pub(crate) struct OrderEnd<'a> {
    pub(crate) order_id: Uuid,
    pub(crate) status: &'a str,
    pub(crate) reason: Option<&'a str>,
    pub(crate) message: Option<&'a str>,
    pub(crate) finished_at: Timestamp,
}

/// An order with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeploymentRow {
    pub(crate) order_id: String,
    pub(crate) group: String,
    pub(crate) tenant: String,
    pub(crate) api: String,
    pub(crate) environment: String,
    pub(crate) gateway: String,
    pub(crate) kind: String,
    pub(crate) revision: i64,
    pub(crate) commit: String,
    pub(crate) content_commit: String,
    pub(crate) version: String,
    pub(crate) digest: String,
    pub(crate) actor: String,
    pub(crate) trace: String,
    /// `pending`, `in_progress`, or the outcome.
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) ordered_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
}

/// A line of a deployment's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StepRow {
    pub(crate) order_id: String,
    pub(crate) sequence: i64,
    pub(crate) step: String,
    pub(crate) phase: String,
    pub(crate) attempt: i64,
    pub(crate) message: Option<String>,
    pub(crate) at: Timestamp,
}

/// Which groups a page of the list shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter<'a> {
    pub(crate) api: Option<&'a str>,
    pub(crate) environment: Option<&'a str>,
}

const COLUMNS: &str = "order_id, request_group, tenant, api, environment, gateway, kind, revision, commit_id, \
     content_commit, version, digest, actor, trace, status, reason, message, ordered_at, finished_at";

impl Store {
    /// Adds an order; a repeat changes nothing.
    pub(crate) async fn add_deployment(&self, tx: &mut Tx, new: &NewDeployment) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO deployments (order_id, request_group, tenant, api, environment, gateway, kind, epoch, \
             revision, commit_id, content_commit, version, digest, actor, trace, status, ordered_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'pending', $16) \
             ON CONFLICT (order_id) DO NOTHING",
        )
        .bind(new.order_id.to_string())
        .bind(new.group.to_string())
        .bind(new.tenant.clone())
        .bind(new.api.clone())
        .bind(new.environment.clone())
        .bind(new.gateway.clone())
        .bind(new.kind.clone())
        .bind(new.generation.epoch.0)
        .bind(new.generation.revision.0)
        .bind(new.commit.clone())
        .bind(new.content_commit.clone())
        .bind(new.version.clone())
        .bind(new.digest.clone())
        .bind(new.actor.clone())
        .bind(new.trace.clone())
        .bind(millis(new.ordered_at))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Whether the order is known.
    pub(crate) async fn has_deployment(&self, order_id: Uuid) -> Result<bool, Error> {
        let found = sqlx::query("SELECT 1 FROM deployments WHERE order_id = $1")
            .bind(order_id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        Ok(found.is_some())
    }

    /// Notes that the worker has begun, unless the order has ended.
    pub(crate) async fn begin_deployment(&self, tx: &mut Tx, order_id: Uuid) -> Result<(), Error> {
        sqlx::query(
            "UPDATE deployments SET status = 'in_progress' WHERE order_id = $1 AND status = 'pending'",
        )
        .bind(order_id.to_string())
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Notes how an order ended; false when that was known.
    pub(crate) async fn end_deployment(&self, tx: &mut Tx, end: &OrderEnd<'_>) -> Result<bool, Error> {
        let ended = sqlx::query(
            "UPDATE deployments SET status = $1, reason = $2, message = $3, finished_at = $4 \
             WHERE order_id = $5 AND finished_at IS NULL",
        )
        .bind(end.status.to_owned())
        .bind(end.reason.map(str::to_owned))
        .bind(end.message.map(str::to_owned))
        .bind(millis(end.finished_at))
        .bind(end.order_id.to_string())
        .execute(&mut **tx)
        .await?;
        Ok(ended.rows_affected() == 1)
    }

    /// Ends the orders that an older epoch left unfinished: their broker is lost, and newer orders take their place.
    pub(crate) async fn end_lost_orders(
        &self,
        tx: &mut Tx,
        epoch: Epoch,
        now: Timestamp,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE deployments SET status = 'superseded', reason = 'broker-lost', finished_at = $1 \
             WHERE epoch < $2 AND finished_at IS NULL",
        )
        .bind(millis(now))
        .bind(epoch.0)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Adds a line to the log of an order; a repeat changes nothing.
    pub(crate) async fn add_step(&self, tx: &mut Tx, step: &StepRow) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO deployment_steps (order_id, sequence, step, phase, attempt, message, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (order_id, sequence) DO NOTHING",
        )
        .bind(step.order_id.clone())
        .bind(step.sequence)
        .bind(step.step.clone())
        .bind(step.phase.clone())
        .bind(step.attempt)
        .bind(step.message.clone())
        .bind(millis(step.at))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The orders of one group, by gateway.
    pub(crate) async fn deployment_group(
        &self,
        tenant: &TenantName,
        group: Uuid,
    ) -> Result<Vec<DeploymentRow>, Error> {
        let rows = sqlx::query(const_format(
            "SELECT {} FROM deployments WHERE tenant = $1 AND request_group = $2 ORDER BY gateway, revision",
        ))
        .bind(tenant.to_string())
        .bind(group.to_string())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(deployment).collect()
    }

    /// The newest order about an API in an environment at each gateway.
    pub(crate) async fn newest_orders(
        &self,
        tenant: &TenantName,
        api: &ApiName,
        environment: &EnvironmentName,
    ) -> Result<Vec<DeploymentRow>, Error> {
        let rows = sqlx::query(const_format(
            "SELECT {} FROM deployments JOIN (\
               SELECT gateway AS at_gateway, MAX(revision) AS newest FROM deployments \
               WHERE tenant = $1 AND api = $2 AND environment = $3 GROUP BY gateway) AS newest_of \
             ON gateway = at_gateway AND revision = newest \
             WHERE tenant = $1 AND api = $2 AND environment = $3 ORDER BY gateway",
        ))
        .bind(tenant.to_string())
        .bind(api.to_string())
        .bind(environment.to_string())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(deployment).collect()
    }

    /// The newest groups of a tenant before a position, newest first, each with all of its orders.
    pub(crate) async fn deployment_groups(
        &self,
        tenant: &TenantName,
        filter: &Filter<'_>,
        before: Option<(i64, &str)>,
        limit: i64,
    ) -> Result<Vec<Vec<DeploymentRow>>, Error> {
        let (revision, group) = before.unwrap_or((i64::MAX, ""));
        let rows = sqlx::query(const_format(
            "SELECT {} FROM deployments JOIN (\
               SELECT request_group AS page_group, MAX(revision) AS newest FROM deployments \
               WHERE tenant = $1 AND (api = $2 OR $2 = '') AND (environment = $3 OR $3 = '') \
               GROUP BY request_group \
               HAVING MAX(revision) < $4 OR (MAX(revision) = $4 AND request_group < $5) \
               ORDER BY newest DESC, page_group DESC LIMIT $6) AS page ON request_group = page_group \
             WHERE tenant = $1 ORDER BY newest DESC, page_group DESC, gateway, revision",
        ))
        .bind(tenant.to_string())
        .bind(filter.api.unwrap_or_default().to_owned())
        .bind(filter.environment.unwrap_or_default().to_owned())
        .bind(revision)
        .bind(group.to_owned())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        let rows = rows.iter().map(deployment).collect::<Result<Vec<_>, _>>()?;
        Ok(rows.chunk_by(|one, next| one.group == next.group).map(<[_]>::to_vec).collect())
    }

    /// The log of a group after a sequence, in order of time.
    pub(crate) async fn deployment_log(
        &self,
        tenant: &TenantName,
        group: Uuid,
        limit: i64,
    ) -> Result<Vec<StepRow>, Error> {
        let rows = sqlx::query(
            "SELECT s.order_id, s.sequence, s.step, s.phase, s.attempt, s.message, s.at FROM deployment_steps s \
             JOIN deployments d ON d.order_id = s.order_id WHERE d.tenant = $1 AND d.request_group = $2 \
             ORDER BY s.at, s.order_id, s.sequence LIMIT $3",
        )
        .bind(tenant.to_string())
        .bind(group.to_string())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(StepRow {
                    order_id: row.try_get(0)?,
                    sequence: row.try_get(1)?,
                    step: row.try_get(2)?,
                    phase: row.try_get(3)?,
                    attempt: row.try_get(4)?,
                    message: row.try_get(5)?,
                    at: time(row.try_get(6)?),
                })
            })
            .collect()
    }
}

/// The statement with [`COLUMNS`] in place of `{}`.
fn const_format(statement: &'static str) -> sqlx::AssertSqlSafe<String> {
    // Both parts are constants of this file.
    sqlx::AssertSqlSafe(statement.replace("{}", COLUMNS))
}

fn deployment(row: &AnyRow) -> Result<DeploymentRow, Error> {
    let finished_at: Option<i64> = row.try_get(18)?;
    Ok(DeploymentRow {
        order_id: row.try_get(0)?,
        group: row.try_get(1)?,
        tenant: row.try_get(2)?,
        api: row.try_get(3)?,
        environment: row.try_get(4)?,
        gateway: row.try_get(5)?,
        kind: row.try_get(6)?,
        revision: row.try_get(7)?,
        commit: row.try_get(8)?,
        content_commit: row.try_get(9)?,
        version: row.try_get(10)?,
        digest: row.try_get(11)?,
        actor: row.try_get(12)?,
        trace: row.try_get(13)?,
        status: row.try_get(14)?,
        reason: row.try_get(15)?,
        message: row.try_get(16)?,
        ordered_at: time(row.try_get(17)?),
        finished_at: finished_at.map(time),
    })
}
