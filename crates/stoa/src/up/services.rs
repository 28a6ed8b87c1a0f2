//! The services, with the settings that they get as in production.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use devstack::process::{Program, Restarts, Supervised};
use runtime::{Lifecycle, Source};

use super::{foundation::Addresses, home::Home, repository::ENVIRONMENT};
use crate::{connection::Connection, progress::Progress};

/// One service and its settings.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub name: &'static str,
    pub port: u16,
    pub folder: PathBuf,
    pub settings: Vec<(&'static str, String)>,
}

/// All services of a platform.
pub(super) fn all(home: &Home, connection: &Connection, at: Addresses) -> anyhow::Result<Vec<Service>> {
    let control_plane = home.folder("control-plane-api")?;
    let database = control_plane.join("store.db");
    let own = vec![
        ("git.remote", connection.git.clone()),
        ("git.mirror", control_plane.join("mirror.git").display().to_string()),
        // A push to the data directory's repository calls nobody, so it is looked at often.
        ("git.poll", "1s".to_owned()),
        ("git.trailer_key", home.secret("trailer-key")?),
        ("database.url", format!("sqlite://{}?mode=rwc", database.display())),
    ];
    let gateway = vec![
        ("gateway.environment", ENVIRONMENT.to_owned()),
        ("gateway.replica", "local".to_owned()),
        ("mcp.url", connection.gateway.as_str().trim_end_matches('/').to_owned()),
    ];
    Ok(vec![
        service("control-plane-api", control_plane, at.control_plane, connection, own),
        service("deployment-worker", home.folder("deployment-worker")?, at.worker, connection, Vec::new()),
        service("mcp-gateway", home.folder("mcp-gateway")?, at.gateway, connection, gateway),
    ])
}

fn service(
    name: &'static str,
    folder: PathBuf,
    port: u16,
    connection: &Connection,
    own: Vec<(&'static str, String)>,
) -> Service {
    let mut settings = vec![
        ("server.address", format!("127.0.0.1:{port}")),
        ("kafka.bootstrap_servers", connection.kafka.clone()),
        ("schema_registry.url", connection.registry.to_string()),
        ("oidc.issuer", connection.issuer.as_str().trim_end_matches('/').to_owned()),
        // A static member with a short session: a restart finds its partitions at once, a kill gives them away
        // in seconds.
        ("kafka.instance_id", "local".to_owned()),
        ("kafka.session_timeout", "1500ms".to_owned()),
        ("kafka.heartbeat_interval", "300ms".to_owned()),
        ("log.format", "text".to_owned()),
    ];
    settings.extend(own);
    Service { name, port, folder, settings }
}

/// Starts all services in this process.
pub(super) async fn start_embedded(
    services: &[Service],
    lifecycle: &Lifecycle,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    for service in services {
        progress.step(&format!("Starting {}", service.name));
        let source = Source::given(service.settings.iter().map(|(key, value)| (*key, value.clone())));
        start_one(service.name, &source, lifecycle)
            .await
            .with_context(|| format!("starting {}", service.name))?;
    }
    Ok(())
}

async fn start_one(name: &str, source: &Source, lifecycle: &Lifecycle) -> anyhow::Result<()> {
    match name {
        "control-plane-api" => {
            let settings = control_plane_api::Settings::load(source)?;
            control_plane_api::App::build(settings, lifecycle).await?.start(lifecycle);
        }
        "deployment-worker" => {
            let settings = deployment_worker::Settings::load(source)?;
            deployment_worker::App::build(settings, lifecycle).await?.start(lifecycle);
        }
        "mcp-gateway" => {
            let settings = mcp_gateway::Settings::load(source)?;
            mcp_gateway::App::build(settings, lifecycle).await?.start(lifecycle);
        }
        other => bail!("there is no service `{other}`"),
    }
    Ok(())
}

/// Starts each service from its own binary, and starts it again when it dies.
pub(super) async fn start_separate(
    services: &[Service],
    home: &Home,
    lifecycle: &Lifecycle,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let own = std::env::current_exe().context("finding this program")?;
    for service in services {
        progress.step(&format!("Starting {}", service.name));
        let executable = own.with_file_name(service.name);
        if !executable.is_file() {
            bail!("`{}` is missing: build all services, or leave --separate out", executable.display());
        }
        let program = Program {
            name: service.name.to_owned(),
            executable,
            arguments: Vec::new(),
            environment: environment(service),
            directory: service.folder.clone(),
            grace: Duration::from_secs(20),
        };
        // A fault test kills services again and again, which is no reason to give up.
        let restarts = Restarts { at_most: 20, ..Restarts::default() };
        let child = Supervised::start(program, &home.places(), restarts).await?;
        let stopping = lifecycle.stopping();
        lifecycle.spawn(service.name, async move {
            if let Some(ended) = stopping.unless_requested(child.watch()).await {
                return ended;
            }
            child.stop().await;
            Ok(())
        });
    }
    Ok(())
}

/// The settings as environment variables.
fn environment(service: &Service) -> Vec<(String, String)> {
    let name = |key: &str| key.to_ascii_uppercase().replace('.', "_");
    service.settings.iter().map(|(key, value)| (name(key), value.clone())).collect()
}
