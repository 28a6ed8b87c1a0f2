//! Answers kept for repeats with the same `Idempotency-Key`.

use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;

use super::{Error, Store, Tx, millis, time};

/// How long a request that is being worked on keeps others away.
const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// How long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Whose key, on which route.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) principal: String,
    pub(crate) route: String,
    pub(crate) key: String,
}

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredAnswer {
    pub(crate) status: u16,
    /// JSON: pairs of name and value.
    pub(crate) headers: String,
    pub(crate) body: String,
}

/// What the store knows of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// Nothing, or that an earlier attempt did not come to its end: go on, and then finish or abandon.
    Fresh {
        /// When the first attempt began.
        since: Timestamp,
        /// Whether there was one before this.
        again: bool,
    },
    /// The same request was answered.
    Answered(StoredAnswer),
    /// The same request is being worked on.
    InProgress,
    /// Another body came with the key.
    Mismatch,
}

impl Store {
    /// Takes the lease of a key, or tells why not.
    pub(crate) async fn begin_idempotent(
        &self,
        scope: &Scope,
        body_digest: &str,
        now: Timestamp,
    ) -> Result<Begun, Error> {
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM idempotency WHERE created_at < $1")
            .bind(millis(now - KEPT))
            .execute(&mut *tx)
            .await?;
        let row = sqlx::query(
            "SELECT body_digest, lease_until, status, headers, body, created_at FROM idempotency \
             WHERE principal = $1 AND route = $2 AND idem_key = $3",
        )
        .bind(scope.principal.clone())
        .bind(scope.route.clone())
        .bind(scope.key.clone())
        .fetch_optional(&mut *tx)
        .await?;
        let (mut since, mut again) = (now, false);
        if let Some(row) = row {
            let digest: String = row.try_get(0)?;
            let lease_until: i64 = row.try_get(1)?;
            let status: Option<i64> = row.try_get(2)?;
            if digest != body_digest {
                return Ok(Begun::Mismatch);
            }
            if let Some(status) = status {
                let (headers, body) = (row.try_get(3)?, row.try_get(4)?);
                let status = u16::try_from(status).unwrap_or(500);
                return Ok(Begun::Answered(StoredAnswer { status, headers, body }));
            }
            if lease_until > millis(now) {
                return Ok(Begun::InProgress);
            }
            (since, again) = (time(row.try_get(5)?), true);
        }
        sqlx::query(
            "INSERT INTO idempotency (principal, route, idem_key, body_digest, lease_until, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (principal, route, idem_key) \
             DO UPDATE SET lease_until = excluded.lease_until",
        )
        .bind(scope.principal.clone())
        .bind(scope.route.clone())
        .bind(scope.key.clone())
        .bind(body_digest.to_owned())
        .bind(millis(now + LEASE))
        .bind(millis(now))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Begun::Fresh { since, again })
    }

    /// Keeps the answer, in the transaction of what was decided with it.
    pub(crate) async fn finish_idempotent(
        &self,
        tx: &mut Tx,
        scope: &Scope,
        answer: &StoredAnswer,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE idempotency SET status = $1, headers = $2, body = $3 \
             WHERE principal = $4 AND route = $5 AND idem_key = $6",
        )
        .bind(i64::from(answer.status))
        .bind(answer.headers.clone())
        .bind(answer.body.clone())
        .bind(scope.principal.clone())
        .bind(scope.route.clone())
        .bind(scope.key.clone())
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Ends the lease: the request failed on our side and may be tried again.
    ///
    /// The key stays, because the failure may have come after the effect: the next attempt looks for it.
    pub(crate) async fn abandon_idempotent(&self, scope: &Scope) -> Result<(), Error> {
        sqlx::query("UPDATE idempotency SET lease_until = 0 WHERE principal = $1 AND route = $2 AND idem_key = $3 AND status IS NULL")
            .bind(scope.principal.clone())
            .bind(scope.route.clone())
            .bind(scope.key.clone())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::store;

    fn scope() -> Scope {
        Scope { principal: "ada".to_owned(), route: "POST /v1/tenants".to_owned(), key: "k".to_owned() }
    }

    #[tokio::test]
    async fn a_key_is_leased_answered_and_forgotten() {
        let (store, _dir) = store().await;
        let start = Timestamp::UNIX_EPOCH;
        let begin = async |digest: &str, seconds: i64| {
            store
                .begin_idempotent(&scope(), digest, start + SignedDuration::from_secs(seconds))
                .await
                .unwrap()
        };
        let again = Begun::Fresh { since: start, again: true };
        assert_eq!(begin("d", 0).await, Begun::Fresh { since: start, again: false });
        assert_eq!(begin("d", 29).await, Begun::InProgress);
        assert_eq!(begin("other", 29).await, Begun::Mismatch);
        assert_eq!(begin("d", 31).await, again, "the lease is over");
        store.abandon_idempotent(&scope()).await.unwrap();
        assert_eq!(begin("other", 32).await, Begun::Mismatch);
        assert_eq!(begin("d", 32).await, again, "the lease was given back");
        let answer = StoredAnswer { status: 201, headers: "[]".to_owned(), body: "{}".to_owned() };
        let mut tx = store.begin().await.unwrap();
        store.finish_idempotent(&mut tx, &scope(), &answer).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(begin("d", 90).await, Begun::Answered(answer));
        let next_day = start + SignedDuration::from_hours(25);
        let anew = Begun::Fresh { since: next_day, again: false };
        assert_eq!(begin("d", 25 * 3600).await, anew, "kept for a day");
    }
}
