//! The running broker.

use std::{
    ffi::OsString,
    fs,
    future::Future,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Error, Install, probe, properties::Properties};
use crate::process::{self, Places, Restarts, Supervised};

/// A cold start without the class archive on a busy laptop takes a third of this.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// Where a broker keeps its data and on what it listens.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Everything the broker keeps, its cluster id included: without it, it is another cluster.
    pub data: PathBuf,
    /// Log and pid file.
    pub places: Places,
    /// The clients' port.
    pub port: u16,
    /// The controller's port.
    pub controller_port: u16,
    /// How long it may take to end.
    pub grace: Duration,
}

/// A broker that serves.
#[derive(Debug)]
pub struct Kafka {
    child: Supervised,
    port: u16,
    cluster_id: String,
}

impl Kafka {
    /// Starts the broker and waits until it serves.
    pub async fn start(install: &Install, settings: Settings) -> Result<Self, Error> {
        Self::start_with(install, settings, &[]).await
    }

    pub(super) async fn start_with(
        install: &Install,
        settings: Settings,
        flags: &[OsString],
    ) -> Result<Self, Error> {
        let Settings { data, places, port, controller_port, grace } = settings;
        let (log, configuration) = (data.join("log"), data.join("server.properties"));
        fs::create_dir_all(&log)
            .and_then(|()| {
                let properties = Properties { port, controller_port, log: &log };
                fs::write(&configuration, properties.text())
            })
            .map_err(|cause| Error::File { path: data.clone(), cause })?;
        let cluster_id = match formatted(&log) {
            Some(cluster_id) => cluster_id,
            None => format(install, &data, &configuration).await?,
        };

        let mut program =
            install.program("kafka", &data, flags, &["kafka.Kafka".into(), configuration.into()]);
        program.grace = grace;
        let child = Supervised::start(program, &places, Restarts::default()).await?;
        child
            .ready(
                READY_WITHIN,
                || async move { probe::ask(port).await.is_some_and(|broker| broker.brokers > 0) },
            )
            .await?;
        Ok(Self { child, port, cluster_id })
    }

    /// What a client connects to.
    #[must_use]
    pub fn bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The id that the cluster keeps as long as its data.
    #[must_use]
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// What its process does.
    #[must_use]
    pub fn state(&self) -> process::State {
        self.child.state()
    }

    /// Ends with an error when the broker ended too often, and with `Ok` once it was stopped.
    pub fn watch(&self) -> impl Future<Output = Result<(), process::Error>> + Send + 'static {
        self.child.watch()
    }

    /// Ends the broker.
    pub async fn stop(self) {
        self.child.stop().await;
    }
}

/// The cluster id of a formatted storage directory.
fn formatted(log: &Path) -> Option<String> {
    let properties = fs::read_to_string(log.join("meta.properties")).ok()?;
    properties.lines().find_map(|line| Some(line.strip_prefix("cluster.id=")?.trim().to_owned()))
}

async fn format(install: &Install, data: &Path, configuration: &Path) -> Result<String, Error> {
    let cluster_id = draw_cluster_id()?;
    let arguments: Vec<OsString> = vec![
        "kafka.tools.StorageTool".into(),
        "format".into(),
        "--ignore-formatted".into(),
        "--cluster-id".into(),
        cluster_id.clone().into(),
        "--config".into(),
        configuration.into(),
    ];
    let program = install.program("kafka-format", data, &[], &arguments);
    let output = tokio::process::Command::new(&program.executable)
        .args(&program.arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|cause| Error::File { path: program.executable.clone(), cause })?;
    if output.status.success() {
        return Ok(cluster_id);
    }
    let said = [output.stdout, output.stderr].concat();
    Err(Error::Format { output: String::from_utf8_lossy(&said).trim().to_owned() })
}

/// Sixteen random bytes in base64, as Kafka's own tool draws them: none of them begins with a hyphen.
fn draw_cluster_id() -> Result<String, Error> {
    loop {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Random)?;
        let id = URL_SAFE_NO_PAD.encode(bytes);
        if !id.starts_with('-') {
            return Ok(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_id_lies_with_the_data() {
        let log = tempfile::tempdir().unwrap();
        assert_eq!(formatted(log.path()), None);
        fs::write(log.path().join("meta.properties"), "version=1\ncluster.id=abc-DEF\nnode.id=1\n").unwrap();
        assert_eq!(formatted(log.path()).as_deref(), Some("abc-DEF"));
    }

    #[test]
    fn a_cluster_id_has_the_form_that_kafka_takes() {
        let id = draw_cluster_id().unwrap();
        assert_eq!(id.len(), 22);
        assert!(!id.starts_with('-'));
    }
}
