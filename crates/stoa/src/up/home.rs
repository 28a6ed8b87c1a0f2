//! The data directory: one platform at a time.

use std::{
    fs::{self, File, TryLockError},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use devstack::{private_file, process::Places};

/// An opened data directory, held until it is dropped.
#[derive(Debug)]
pub(super) struct Home {
    data: PathBuf,
    /// Given back by the system when this process ends, however that happens.
    _lock: File,
}

impl Home {
    /// Opens the directory, making it where there is none; refuses one that another platform holds.
    pub(super) fn open(data: &Path) -> anyhow::Result<Self> {
        let failed = || format!("using the data directory `{}`", data.display());
        // Tokens and keys lie in it.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(data).with_context(failed)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(data.join("lock"))
            .with_context(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("a platform runs already in `{}`", data.display()),
            Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
        }
        fs::create_dir_all(data.join("logs")).with_context(failed)?;
        Ok(Self { data: data.to_owned(), _lock: lock })
    }

    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    pub(super) fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    pub(super) fn places(&self) -> Places {
        Places::under(&self.data)
    }

    /// The folder of one service, made if it is missing.
    pub(super) fn folder(&self, service: &str) -> anyhow::Result<PathBuf> {
        let folder = self.data.join(service);
        fs::create_dir_all(&folder).with_context(|| format!("making `{}`", folder.display()))?;
        Ok(folder)
    }

    /// A secret of this platform: drawn once, kept where only its owner can read it.
    pub(super) fn secret(&self, name: &str) -> anyhow::Result<String> {
        let path = self.data.join("secrets").join(name);
        let bytes = private_file::read_or_make(&path, || {
            let mut bytes = [0; 32];
            aws_lc_rs::rand::fill(&mut bytes).map_err(std::io::Error::other)?;
            Ok(URL_SAFE_NO_PAD.encode(bytes).into_bytes())
        });
        let bytes = bytes.with_context(|| format!("keeping the secret `{name}`"))?;
        String::from_utf8(bytes).with_context(|| format!("reading the secret `{name}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_holds_one_platform_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let first = Home::open(&data).unwrap();
        assert!(Home::open(&data).unwrap_err().to_string().contains("runs already"));
        let secret = first.secret("trailer").unwrap();
        drop(first);
        assert_eq!(Home::open(&data).unwrap().secret("trailer").unwrap(), secret);
    }
}
