//! What to run, and where it leaves its traces.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

/// Variables that a child inherits; everything else it gets is given to it by name, so that two shells start
/// the same platform.
const INHERITED: [&str; 9] =
    ["HOME", "JAVA_HOME", "LANG", "LC_ALL", "PATH", "RUST_BACKTRACE", "RUST_LOG", "TMPDIR", "TZ"];

/// One program with all it is given.
#[derive(Clone, Debug)]
pub struct Program {
    /// Names its log and its pid file.
    pub name: String,
    /// The file to run, or a name to be found in `PATH`.
    pub executable: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its environment, beside `PATH`, `HOME` and the like.
    pub environment: Vec<(String, String)>,
    /// Where it runs.
    pub directory: PathBuf,
    /// How long it may take to end before it is killed.
    pub grace: Duration,
}

impl Program {
    /// The command line as the kernel shows it once the program runs.
    pub(super) fn command_line(&self) -> Vec<String> {
        std::iter::once(self.executable.as_os_str())
            .chain(self.arguments.iter().map(OsString::as_os_str))
            .map(|part| part.to_string_lossy().into_owned())
            .collect()
    }

    /// The command, tied to the life of the calling thread.
    pub(super) fn command(&self, output: Stdio, errors: Stdio) -> Command {
        use std::os::unix::process::CommandExt as _;

        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&self.executable)
            .args(&self.arguments)
            .env_clear()
            .envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            // A group of its own: the terminal's Ctrl-C reaches the parent alone, which stops its parts in order.
            .process_group(0);
        command
    }
}

/// Where the parts of one data directory keep logs and pid files.
#[derive(Clone, Debug)]
pub struct Places {
    logs: PathBuf,
    run: PathBuf,
}

impl Places {
    /// The places under `data`.
    #[must_use]
    pub fn under(data: &Path) -> Self {
        Self { logs: data.join("logs"), run: data.join("run") }
    }

    /// The log of the part called `name`.
    #[must_use]
    pub fn log_of(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }

    /// The folder of the pid files.
    pub(super) fn run(&self) -> &Path {
        &self.run
    }

    /// The pid file of the part called `name`.
    #[must_use]
    pub fn pid_file_of(&self, name: &str) -> PathBuf {
        self.run.join(format!("{name}.pid"))
    }
}
