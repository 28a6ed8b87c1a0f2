//! Apicurio Registry as a child of the test: somebody else's implementation of the same interface.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use devstack::{
    cache,
    ports::Ports,
    process::{Places, Program, Restarts, Supervised},
};
use url::Url;

/// The versions that the fetch scripts install.
const PINS: &str = include_str!("../../../../scripts/servers/pins");

/// The oldest Java that runs it.
const JAVA: u32 = 21;

/// It takes eight seconds on an idle machine.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// A registry that serves; its subjects end with it.
pub(crate) struct Apicurio {
    child: Supervised,
    base: Url,
}

impl Apicurio {
    /// Starts it with its traces in `home`; nothing where it cannot be had, which a line on standard error says.
    pub(crate) async fn start(home: &Path) -> Option<Self> {
        let (install, java) = match (installation(), java()) {
            (Some(install), Some(java)) => (install, java),
            (_, None) => return skipped("no Java 21 or newer in PATH or /usr/lib/jvm"),
            (None, _) => return skipped("scripts/servers/apicurio did not install it"),
        };
        let port = Ports::anywhere(home).unwrap().claim("apicurio", 8086).unwrap();
        let flags = [
            "-Xmx256m".to_owned(),
            "-XX:+UseSerialGC".to_owned(),
            "-XX:TieredStopAtLevel=1".to_owned(),
            "-Dquarkus.http.host=127.0.0.1".to_owned(),
            format!("-Dquarkus.http.port={port}"),
            // It would otherwise listen on every address of the machine.
            "-Dquarkus.management.host=127.0.0.1".to_owned(),
            "-Dquarkus.management.port=0".to_owned(),
            "-jar".to_owned(),
        ];
        let mut arguments: Vec<OsString> = flags.map(OsString::from).to_vec();
        arguments.push(install.join("quarkus-run.jar").into());
        let program = Program {
            name: "apicurio".to_owned(),
            executable: java,
            arguments,
            environment: Vec::new(),
            directory: home.to_owned(),
            grace: Duration::from_secs(10),
        };
        let once = Restarts { at_most: 0, ..Restarts::default() };
        let child = Supervised::start(program, &Places::under(home), once).await.unwrap();
        let base: Url = format!("http://127.0.0.1:{port}/apis/ccompat/v7").parse().unwrap();
        let subjects = format!("{base}/subjects");
        let answers = || async { reqwest::get(&subjects).await.is_ok_and(|answer| answer.status() == 200) };
        child.ready(READY_WITHIN, answers).await.unwrap();
        Some(Self { child, base })
    }

    /// The base of Confluent's interface.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    pub(crate) async fn stop(self) {
        self.child.stop().await;
    }
}

fn skipped(why: &str) -> Option<Apicurio> {
    eprintln!("SKIPPED apicurio: {why}");
    None
}

fn installation() -> Option<PathBuf> {
    let version = PINS.lines().find_map(|line| line.strip_prefix("apicurio ")?.split(' ').next())?;
    Some(cache::servers()?.join(format!("apicurio-{version}"))).filter(|install| install.is_dir())
}

/// A Java that is new enough: that of the shell, or one that lies beside it.
fn java() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let beside = fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
    std::env::split_paths(&path)
        .map(|directory| directory.join("java"))
        .chain(beside.map(|home| home.path().join("bin/java")))
        .find(|java| version(java).is_some_and(|version| version >= JAVA))
}

/// What the installation of `java` says of itself, without running it.
fn version(java: &Path) -> Option<u32> {
    let release = fs::canonicalize(java).ok()?.parent()?.parent()?.join("release");
    let text = fs::read_to_string(release).ok()?;
    let version = text.lines().find_map(|line| line.strip_prefix("JAVA_VERSION=\""))?;
    version.split(['.', '"']).next()?.parse().ok()
}
