//! The log file of a part.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

/// A log longer than this is set aside when its part starts; one older log is kept.
const SET_ASIDE_AT: u64 = 16 * 1024 * 1024;

/// How much of a log an error shows.
const TAIL_BYTES: u64 = 4096;
const TAIL_LINES: usize = 15;

/// Opens the log for appending.
pub(super) fn open(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    if fs::metadata(path).is_ok_and(|log| log.len() > SET_ASIDE_AT) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    File::options().create(true).append(true).open(path)
}

/// The last lines of a log; empty if it cannot be read.
pub(super) fn tail(path: &Path) -> String {
    fn read(path: &Path) -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
    let bytes = read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_the_last_lines() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("part.log");
        let lines: Vec<String> = (0..2000).map(|n| format!("line {n}")).collect();
        fs::write(&path, lines.join("\n")).unwrap();
        let shown = tail(&path);
        assert!(shown.starts_with("line 1985\n") && shown.ends_with("line 1999"), "{shown}");
        assert_eq!(tail(&directory.path().join("absent.log")), "");
    }

    #[test]
    fn a_long_log_is_set_aside_at_the_next_start() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("part.log");
        File::create(&path).unwrap().set_len(SET_ASIDE_AT + 1).unwrap();
        assert_eq!(open(&path).unwrap().metadata().unwrap().len(), 0);
        assert!(directory.path().join("part.log.1").exists());
    }
}
