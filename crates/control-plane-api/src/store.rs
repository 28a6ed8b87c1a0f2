//! The store: relay, history and whatever else Git does not hold, in SQL.
//!
//! Statements are plain and portable: SQLite on one machine, `PostgreSQL` for replicas. Writers begin
//! immediately, so that two of them queue instead of failing when the second one upgrades its lock.

mod consumed;
mod deployments;
mod effective;
mod error;
mod idempotency;
mod meta;
mod ordered;
mod outbox;
mod positions;
mod requests;
mod steps;
mod stream;
mod traces;

use std::time::Duration;

use sqlx::{Any, AnyPool, Executor as _, Transaction, any::AnyPoolOptions};

pub(crate) use self::{
    consumed::Source,
    deployments::{DeploymentRow, Filter as DeploymentFilter, NewDeployment, OrderEnd, StepRow},
    effective::FileRow,
    error::Error,
    idempotency::{Begun, Scope, StoredAnswer},
    ordered::Ordered,
    outbox::WantedSync,
    requests::RequestRow,
    steps::{Step, StepKind},
    traces::{NewTrace, TraceEntry, TraceRow},
};

/// A transaction that writes.
pub(crate) type Tx = Transaction<'static, Any>;

const BUSY: Duration = Duration::from_secs(10);

/// The store; clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pool: AnyPool,
    /// How a transaction that will write begins.
    begin: &'static str,
}

impl Store {
    /// Opens the database at `url` (`sqlite://…` or `postgres://…`) and brings its tables up to date.
    pub(crate) async fn open(url: &str) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let sqlite = url.starts_with("sqlite:");
        let pool = AnyPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(BUSY)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if sqlite {
                        connection
                            .execute(
                                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                                 PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON;",
                            )
                            .await?;
                    }
                    Ok(())
                })
            })
            .connect(url)
            .await
            .map_err(Error::Open)?;
        sqlx::migrate!("./migrations").run(&pool).await.map_err(Error::Migrate)?;
        let begin = if sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
        Ok(Self { pool, begin })
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Tx, Error> {
        Ok(self.pool.begin_with(self.begin).await?)
    }
}

/// Milliseconds since the epoch, as every table has times.
pub(crate) fn millis(time: jiff::Timestamp) -> i64 {
    time.as_millisecond()
}

/// The time that a column holds; one that no calendar has becomes the epoch.
pub(crate) fn time(millis: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
pub(crate) mod testing {
    use super::Store;

    /// An empty store in a directory that goes with the test.
    pub(crate) async fn store() -> (Store, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", dir.path().join("store.db").display());
        (Store::open(&url).await.unwrap(), dir)
    }
}
