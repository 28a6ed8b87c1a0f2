//! Requests that came by topic: a repeat gets the outcome of the first.

use jiff::Timestamp;
use sqlx::Row as _;

use super::{Error, Store, Tx, millis, time};

/// A request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestRow {
    pub(crate) tenant: String,
    pub(crate) request_id: String,
    pub(crate) topic: String,
    /// Digest of the value that came: another value with the same id is a forgery or a mistake.
    pub(crate) value_digest: String,
    /// `accepted` or `refused`.
    pub(crate) outcome: String,
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) commit: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) at: Timestamp,
}

impl Store {
    /// What became of a request, if it came before.
    pub(crate) async fn request(&self, tenant: &str, request_id: &str) -> Result<Option<RequestRow>, Error> {
        let row = sqlx::query(
            "SELECT tenant, request_id, topic, value_digest, outcome, reason, message, commit_id, request_group, at \
             FROM requests WHERE tenant = $1 AND request_id = $2",
        )
        .bind(tenant.to_owned())
        .bind(request_id.to_owned())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(RequestRow {
            tenant: row.try_get(0)?,
            request_id: row.try_get(1)?,
            topic: row.try_get(2)?,
            value_digest: row.try_get(3)?,
            outcome: row.try_get(4)?,
            reason: row.try_get(5)?,
            message: row.try_get(6)?,
            commit: row.try_get(7)?,
            group: row.try_get(8)?,
            at: time(row.try_get(9)?),
        }))
    }

    /// Remembers what became of a request; the first outcome stays.
    pub(crate) async fn add_request(&self, tx: &mut Tx, row: &RequestRow) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO requests (tenant, request_id, topic, value_digest, outcome, reason, message, commit_id, \
             request_group, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
             ON CONFLICT (tenant, request_id) DO NOTHING",
        )
        .bind(row.tenant.clone())
        .bind(row.request_id.clone())
        .bind(row.topic.clone())
        .bind(row.value_digest.clone())
        .bind(row.outcome.clone())
        .bind(row.reason.clone())
        .bind(row.message.clone())
        .bind(row.commit.clone())
        .bind(row.group.clone())
        .bind(millis(row.at))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
