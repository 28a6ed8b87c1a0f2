//! Why the store did not do what was asked.

use domain::{Classify, Disposition};

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The database cannot be reached or opened.
    #[error("could not open the store")]
    Open(#[source] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("could not migrate the store")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A statement failed.
    #[error("the store failed")]
    Sql(#[from] sqlx::Error),
    /// Another replica has taken over what this one was doing.
    #[error("another replica has taken over {what}")]
    TakenOver {
        /// What it took over.
        what: &'static str,
    },
    /// A row holds what this version cannot read.
    #[error("row `{row}` of `{table}` cannot be read")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row's key.
        row: String,
    },
}

impl Classify for Error {
    /// A store that fails is waited for, and a row that cannot be read is a matter for people: nothing is lost
    /// by waiting, and nothing may be skipped.
    fn disposition(&self) -> Disposition {
        Disposition::Retry
    }
}
