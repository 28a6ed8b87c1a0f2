//! A clone of the repository, used as people use it: with `git`.

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

use crate::documents::Files;

/// A clone.
pub(crate) struct Checkout(TempDir);

impl Checkout {
    /// Clones the branch.
    pub(crate) fn of(remote: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let checkout = Self(folder);
        checkout.git(&["clone", "--quiet", remote, "."]).unwrap();
        checkout
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs `git`; what it prints, or what it complains about.
    pub(crate) fn git(&self, arguments: &[&str]) -> Result<String, String> {
        let settings =
            ["user.name=Grace", "user.email=grace@example.com", "gc.auto=0", "commit.gpgsign=false"];
        let mut command = Command::new("git");
        command.current_dir(self.path()).args(settings.iter().flat_map(|setting| ["-c", setting]));
        // Nothing of the person who runs the tests.
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_EDITOR", "true");
        let output = command.args(arguments).output().unwrap();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
    }

    /// Writes and removes files.
    pub(crate) fn write(&self, files: &Files) {
        for (path, text) in files {
            let path = self.path().join(path);
            match text {
                Some(text) => {
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, text).unwrap();
                }
                None if path.is_dir() => fs::remove_dir_all(path).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
        }
    }

    /// Commits files; the commit's id.
    pub(crate) fn commit(&self, files: &Files, message: &str) -> String {
        self.write(files);
        self.git(&["add", "--all"]).unwrap();
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]).unwrap();
        self.head()
    }

    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).unwrap()
    }

    /// Pushes what is committed, after what others pushed in the meantime; the id of the head.
    pub(crate) fn push(&self) -> String {
        for _ in 0..50 {
            if self.git(&["push", "--quiet", "origin", "HEAD:main"]).is_ok() {
                return self.head();
            }
            self.git(&["pull", "--quiet", "--rebase", "origin", "main"]).unwrap();
        }
        panic!("somebody else is always faster");
    }

    /// Commits and pushes.
    pub(crate) fn publish(&self, files: &Files, message: &str) -> String {
        self.commit(files, message);
        self.push()
    }
}
