//! Where the platform of a data directory answers.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::cli::{Broker, Global};

/// The addresses of a running platform, written by `stoa up` and read by everything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Connection {
    /// The control plane.
    pub api: Url,
    /// The gateway, with the APIs under `/apis` and the tools under `/mcp`.
    pub gateway: Url,
    /// Who signs tokens.
    pub issuer: Url,
    /// Whether the issuer gives tokens for a user name alone.
    pub development: bool,
    /// The user for whom tokens are made when nobody signed in.
    pub user: String,
    /// The broker.
    pub kafka: String,
    /// The schema registry.
    pub registry: Url,
    /// The Git remote.
    pub git: String,
}

impl Connection {
    fn path(data: &Path) -> PathBuf {
        data.join("connection.json")
    }

    /// Writes the addresses down.
    pub(crate) fn write(&self, data: &Path) -> anyhow::Result<()> {
        let (path, beside) = (Self::path(data), data.join("connection.json.new"));
        fs::write(&beside, serde_json::to_vec_pretty(self)?)
            .and_then(|()| fs::rename(&beside, &path))
            .with_context(|| format!("writing `{}`", path.display()))
    }

    /// The platform of `data`.
    pub(crate) fn read(data: &Path) -> anyhow::Result<Self> {
        Self::find(data)?.ok_or_else(|| Self::missing(data))
    }

    /// The platform of `data`, if one was ever started.
    pub(crate) fn find(data: &Path) -> anyhow::Result<Option<Self>> {
        let path = Self::path(data);
        let failed = || format!("reading `{}`", path.display());
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).with_context(failed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(failed),
        }
    }

    /// What to do where there is no platform.
    pub(crate) fn missing(data: &Path) -> anyhow::Error {
        anyhow!(
            "no platform was ever started in `{}`: run `stoa up`, or say --api and `stoa login`",
            data.display()
        )
    }
}

/// The data directory: what was said, or the usual place.
pub(crate) fn data_directory(global: &Global) -> anyhow::Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let chosen = global
        .data
        .clone()
        .or_else(|| Some(set("XDG_DATA_HOME")?.join("stoa")))
        .or_else(|| Some(set("HOME")?.join(".local/share/stoa")))
        .context("no data directory is known: say --data")?;
    // Children run elsewhere, so the path must hold from anywhere.
    std::path::absolute(&chosen).with_context(|| format!("resolving `{}`", chosen.display()))
}

/// How to reach the broker and the registry.
pub(crate) fn bus_settings(global: &Global, broker: &Broker) -> anyhow::Result<event_bus::Settings> {
    let (kafka, registry) = match (&broker.kafka, &broker.registry) {
        (Some(kafka), Some(registry)) => (kafka.clone(), registry.clone()),
        (kafka, registry) => {
            let known = Connection::read(&data_directory(global)?)?;
            (kafka.clone().unwrap_or(known.kafka), registry.clone().unwrap_or(known.registry))
        }
    };
    let mut settings = event_bus::Settings::local(&kafka, registry);
    // Protection of the broker comes from the environment, with the names that the services read.
    let source = runtime::Source::process()
        .with("kafka.bootstrap_servers", kafka)
        .with("schema_registry.url", settings.schema_registry_url.as_str());
    let mut reader = runtime::Reader::new(&source);
    if let Some(given) = event_bus::Settings::read(&mut reader) {
        settings = event_bus::Settings {
            session_timeout: settings.session_timeout,
            heartbeat_interval: settings.heartbeat_interval,
            ..given
        };
    }
    reader.finish()?;
    Ok(settings)
}
