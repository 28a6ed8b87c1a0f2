//! The broker's jars, fetched once into the cache, and the class archive that halves its start.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, UNIX_EPOCH},
};

use domain::id::Digest;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::Command,
};

use super::{Error, Kafka, Settings};
use crate::{
    ports::Ports,
    process::{Places, Program},
};

/// The script that installs, and the versions and checksums it may install; also used without this crate.
const SCRIPT: &str = include_str!("../../../../scripts/servers/kafka");
const PINS: &str = include_str!("../../../../scripts/servers/pins");

/// Flags for a light child.
const JVM: [&str; 9] = [
    "-Xms64m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
];

/// An installed broker.
#[derive(Clone, Debug)]
pub struct Install {
    java: PathBuf,
    class_path: OsString,
    archive: PathBuf,
}

impl Install {
    /// The broker in the cache directory `servers`, fetched if it is not there; `progress` gets a line a step.
    pub async fn fetch(servers: &Path, progress: impl FnMut(&str)) -> Result<Self, Error> {
        let java = find("java").ok_or(Error::Missing {
            what: "Java",
            advice: "install a runtime of version 17 or newer (Debian: default-jre-headless)",
        })?;
        let version = pinned_version().unwrap_or_default();
        let directory = servers.join(format!("kafka-{version}"));
        if !directory.is_dir() {
            if find("mvn").is_none() {
                return Err(Error::Missing { what: "Maven", advice: "install it (Debian: maven)" });
            }
            run_script(servers, progress).await?;
        }
        Self::at(&directory, java)
    }

    fn at(directory: &Path, java: PathBuf) -> Result<Self, Error> {
        let libraries = directory.join("libs");
        let failed = |cause| Error::File { path: libraries.clone(), cause };
        let mut jars = fs::read_dir(&libraries)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>())
            .map_err(failed)?;
        // The archive is good for one order of jars only.
        jars.sort();
        let class_path = std::env::join_paths(jars).map_err(|error| failed(std::io::Error::other(error)))?;
        // And for one Java.
        let identity = fs::canonicalize(&java)
            .and_then(|real| Ok((fs::metadata(&real)?.modified()?, real)))
            .map(|(modified, real)| {
                let seconds = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
                Digest::of(format!("{} {seconds} {}", real.display(), JVM.join(" ")).as_bytes())
            })
            .map_err(|cause| Error::File { path: java.clone(), cause })?;
        let archive = directory.join(format!("classes-{}.jsa", &identity.as_str()[..12]));
        Ok(Self { java, class_path, archive })
    }

    /// Whether the class archive is there.
    #[must_use]
    pub fn is_archived(&self) -> bool {
        self.archive.exists()
    }

    /// Makes the class archive, by one short run of the broker.
    pub async fn make_archive(&self) -> Result<(), Error> {
        if self.is_archived() {
            return Ok(());
        }
        let failed = |cause| Error::File { path: self.archive.clone(), cause };
        let parent = self.archive.parent().unwrap_or(Path::new("/"));
        let scratch = tempfile::Builder::new().prefix(".archive-").tempdir_in(parent).map_err(failed)?;
        let target = scratch.path().join("classes.jsa");
        let mut ports =
            Ports::anywhere(scratch.path()).map_err(|error| failed(std::io::Error::other(error)))?;
        let mut claim = |part| ports.claim(part, 39092).map_err(|error| failed(std::io::Error::other(error)));
        let settings = Settings {
            data: scratch.path().join("kafka"),
            places: Places::under(scratch.path()),
            port: claim("kafka")?,
            controller_port: claim("controller")?,
            grace: Duration::from_secs(30),
        };
        let mut recording: OsString = "-XX:ArchiveClassesAtExit=".into();
        recording.push(&target);
        Kafka::start_with(self, settings, &[recording]).await?.stop().await;
        fs::rename(&target, &self.archive).map_err(failed)
    }

    /// A run of one of Kafka's main classes.
    pub(super) fn program(
        &self,
        name: &str,
        directory: &Path,
        flags: &[OsString],
        arguments: &[OsString],
    ) -> Program {
        let mut all: Vec<OsString> = JVM.iter().map(OsString::from).collect();
        if flags.is_empty() && self.is_archived() {
            let mut archive: OsString = "-XX:SharedArchiveFile=".into();
            archive.push(&self.archive);
            // A Java that cannot use the archive goes on without it.
            all.extend(["-Xshare:auto".into(), archive]);
        }
        all.extend_from_slice(flags);
        all.push("-cp".into());
        all.push(self.class_path.clone());
        all.extend_from_slice(arguments);
        Program {
            name: name.to_owned(),
            executable: self.java.clone(),
            arguments: all,
            environment: Vec::new(),
            directory: directory.to_owned(),
            grace: Duration::from_secs(15),
        }
    }
}

fn pinned_version() -> Option<&'static str> {
    PINS.lines().find_map(|line| line.strip_prefix("kafka ")?.split(' ').next())
}

/// The file that a program name stands for.
fn find(program: &str) -> Option<PathBuf> {
    let home = std::env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin"));
    let path = std::env::var_os("PATH")?;
    home.into_iter()
        .chain(std::env::split_paths(&path))
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

async fn run_script(servers: &Path, mut progress: impl FnMut(&str)) -> Result<(), Error> {
    let failed = |cause| Error::File { path: servers.to_owned(), cause };
    let scratch = tempfile::tempdir().map_err(failed)?;
    let (script, pins) = (scratch.path().join("kafka"), scratch.path().join("pins"));
    fs::write(&script, SCRIPT).and_then(|()| fs::write(&pins, PINS)).map_err(failed)?;

    let mut child = Command::new("bash")
        .arg(script)
        .arg(pins)
        .arg(servers)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let steps = async {
        let Some(stdout) = stdout else { return };
        let mut lines = BufReader::new(stdout).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            progress(&line);
        }
    };
    let errors = async {
        let mut text = String::new();
        if let Some(mut stderr) = stderr {
            let _ = stderr.read_to_string(&mut text).await;
        }
        text
    };
    let ((), output) = futures_util::join!(steps, errors);
    let status = child.wait().await.map_err(failed)?;
    if status.success() { Ok(()) } else { Err(Error::Install { output: output.trim().to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_has_a_server_a_version_a_file_and_a_checksum() {
        let pins: Vec<Vec<&str>> = PINS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split(' ').collect())
            .collect();
        assert!(pins.len() > 40);
        for pin in pins {
            let [_, _, file, digest] = pin[..] else { panic!("{pin:?}") };
            assert!(digest.parse::<Digest>().is_ok() && !file.contains('/'), "{pin:?}");
        }
        assert_eq!(pinned_version(), Some("4.4.0"));
    }
}
