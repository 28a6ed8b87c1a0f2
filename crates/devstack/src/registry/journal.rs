//! Where the registry's records are kept.

use std::{
    fs::{self, File},
    future::Future,
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    pin::Pin,
};

use serde_json::Value;

/// A record as kept: a JSON key, and a JSON value or nothing once it was removed.
pub type Kept = (Vec<u8>, Option<Vec<u8>>);

/// The journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("could not use the journal in {place}")]
pub struct JournalError {
    /// The file or topic.
    pub place: String,
    /// Why.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

/// The answer of a journal.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, JournalError>> + Send + 'a>>;

/// Keeps records in order; the last one of a key counts.
pub trait Journal: std::fmt::Debug + Send + Sync + 'static {
    /// Everything that was kept, oldest first.
    fn read(&self) -> Answer<'_, Vec<Kept>>;

    /// Keeps one more; done when it is safe.
    fn append(&self, key: Vec<u8>, value: Vec<u8>) -> Answer<'_, ()>;
}

/// A journal in a file, one record a line, for a registry without a broker.
#[derive(Debug)]
pub struct InFile {
    path: PathBuf,
}

impl InFile {
    /// The journal in `path`, made at the first record.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    fn failed(&self, cause: io::Error) -> JournalError {
        JournalError { place: self.path.display().to_string(), cause: cause.into() }
    }

    fn lines(&self) -> io::Result<Vec<Kept>> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file?,
        };
        let mut kept = Vec::new();
        for line in BufReader::new(file).lines() {
            // A last line that was cut off was never confirmed to anybody.
            let Ok([key, value]) = serde_json::from_str::<[Value; 2]>(&line?) else { continue };
            let value = (!value.is_null()).then(|| value.to_string().into_bytes());
            kept.push((key.to_string().into_bytes(), value));
        }
        Ok(kept)
    }

    fn add(&self, key: &[u8], value: &[u8]) -> io::Result<()> {
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory)?;
        }
        let mut file = File::options().create(true).append(true).open(&self.path)?;
        // On a line of its own even after one that was cut off.
        let line = [b"\n[", key, b",", value, b"]\n"].concat();
        file.write_all(&line)?;
        file.sync_data()
    }
}

impl Journal for InFile {
    fn read(&self) -> Answer<'_, Vec<Kept>> {
        Box::pin(std::future::ready(self.lines().map_err(|cause| self.failed(cause))))
    }

    fn append(&self, key: Vec<u8>, value: Vec<u8>) -> Answer<'_, ()> {
        Box::pin(std::future::ready(self.add(&key, &value).map_err(|cause| self.failed(cause))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_keeps_records_in_order_and_survives_a_cut_line() {
        let home = tempfile::tempdir().unwrap();
        let journal = InFile::at(&home.path().join("registry/journal"));
        assert!(journal.read().await.unwrap().is_empty());
        journal.append(b"{\"k\":1}".to_vec(), b"{\"v\":1}".to_vec()).await.unwrap();
        let path = home.path().join("registry/journal");
        let mut file = File::options().append(true).open(path).unwrap();
        file.write_all(b"[{\"k\":2},{\"v\"").unwrap();
        journal.append(b"{\"k\":3}".to_vec(), b"{\"v\":3}".to_vec()).await.unwrap();
        let kept = journal.read().await.unwrap();
        assert_eq!(
            kept,
            [
                (b"{\"k\":1}".to_vec(), Some(b"{\"v\":1}".to_vec())),
                (b"{\"k\":3}".to_vec(), Some(b"{\"v\":3}".to_vec())),
            ]
        );
    }
}
