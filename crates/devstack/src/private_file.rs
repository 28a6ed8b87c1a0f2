//! Files that only their owner may read: keys and client secrets.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

/// The file's content; what `make` gives is written there when the file is absent, complete or not at all.
///
/// A file that others may read is refused: its secret is no secret.
pub fn read_or_make(path: &Path, make: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
    match fs::metadata(path) {
        Ok(file) if file.permissions().mode() & 0o077 != 0 => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("`{}` can be read by others; its mode must be 0600", path.display()),
        )),
        Ok(_) => fs::read(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let content = make()?;
            write(path, &content)?;
            Ok(content)
        }
        Err(error) => Err(error),
    }
}

/// Replaces the file, complete or not at all, with mode 0600.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let beside = path.with_extension("new");
    let _ = fs::remove_file(&beside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_belongs_to_its_owner() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("keys/one");
        assert_eq!(read_or_make(&path, || Ok(b"first".to_vec())).unwrap(), b"first");
        assert_eq!(read_or_make(&path, || Ok(b"second".to_vec())).unwrap(), b"first");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refusal = read_or_make(&path, || Ok(Vec::new())).unwrap_err();
        assert_eq!(refusal.kind(), io::ErrorKind::PermissionDenied);
    }
}
