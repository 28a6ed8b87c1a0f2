//! The effective state's rows.

use sqlx::Row as _;

use super::{Error, Store, Tx};

/// A file of the effective state; `content` is what `gitops` wrote about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileRow {
    pub(crate) path: String,
    pub(crate) content: String,
}

impl Store {
    /// Every file.
    pub(crate) async fn effective_files(&self) -> Result<Vec<FileRow>, Error> {
        let rows = sqlx::query("SELECT path, content FROM effective_files ORDER BY path")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| Ok(FileRow { path: row.try_get(0)?, content: row.try_get(1)? })).collect()
    }

    /// Writes a file's row.
    pub(crate) async fn put_effective_file(&self, tx: &mut Tx, file: &FileRow) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO effective_files (path, content) VALUES ($1, $2) \
             ON CONFLICT (path) DO UPDATE SET content = excluded.content",
        )
        .bind(file.path.clone())
        .bind(file.content.clone())
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Removes a file's row.
    pub(crate) async fn remove_effective_file(&self, tx: &mut Tx, path: &str) -> Result<(), Error> {
        sqlx::query("DELETE FROM effective_files WHERE path = $1")
            .bind(path.to_owned())
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}
