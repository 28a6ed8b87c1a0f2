//! Settings of the control plane.

use std::{path::PathBuf, time::Duration};

use gitops::{Remote, repository::Credentials};
use runtime::{HttpSettings, Reader, SettingsError, Source, telemetry};
use secrecy::{ExposeSecret as _, SecretString};

/// The name of the service, and the audience of its tokens.
pub(crate) const SERVICE: &str = "control-plane-api";

/// What the trailer key must have at least, in bytes.
const TRAILER_KEY: usize = 32;

/// Settings of the control plane.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Logs and traces.
    pub telemetry: telemetry::Settings,
    /// Calls to the identity provider.
    pub http: HttpSettings,
    /// The broker and the registry.
    pub bus: event_bus::Settings,
    /// The listener.
    pub web: web::Settings,
    /// The identity provider.
    pub oidc: web::OidcSettings,
    /// Where Git is and how it is watched.
    pub git: GitSettings,
    /// `database.url`: `sqlite://…` or `postgres://…`; secret, because it may hold a password.
    pub database: SecretString,
    /// What orders and steps may be.
    pub relay: RelaySettings,
}

/// Where Git is and how it is watched.
#[derive(Clone, Debug)]
pub struct GitSettings {
    /// `git.remote`, `git.branch`, `git.username`, `git.password`: the repository of the desired state.
    pub remote: Remote,
    /// `git.name`: the repository's name in records; stable, wherever the remote moves.
    pub name: String,
    /// `git.mirror`: the folder of the mirror.
    pub mirror: PathBuf,
    /// `git.poll`: how often to look without being nudged.
    pub poll: Duration,
    /// `git.trailer_key`: the key of the trailers that mark the control plane's own commits.
    pub trailer_key: SecretString,
}

/// What orders and steps may be.
#[derive(Clone, Debug)]
pub struct RelaySettings {
    /// `orders.deadline`: from an order to the moment after which nothing is begun.
    pub order_deadline: Duration,
    /// `relay.deletion_cap`: removals in one step beyond which a person must agree.
    pub deletion_cap: usize,
}

impl Settings {
    /// Reads and checks everything; every problem is reported with its key.
    pub fn load(source: &Source) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(source);
        let telemetry = telemetry::Settings::read(&mut reader);
        let http = HttpSettings::read(&mut reader);
        let bus = event_bus::Settings::read(&mut reader);
        let web = web::Settings::read(&mut reader, 8000);
        let oidc = web::OidcSettings::read(&mut reader, SERVICE);
        let git = GitSettings::read(&mut reader);
        let database = reader.required("database.url");
        let relay = RelaySettings {
            order_deadline: reader.or("orders.deadline", Duration::from_mins(5)),
            deletion_cap: reader.or("relay.deletion_cap", 50),
        };
        reader.complete(|| {
            Some(Self { telemetry, http, bus: bus?, web, oidc: oidc?, git: git?, database: database?, relay })
        })
    }
}

impl GitSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url: Option<String> = reader.required("git.remote");
        let branch = reader.or("git.branch", "main".to_owned());
        let username: Option<String> = reader.optional("git.username");
        let password: Option<SecretString> = reader.optional("git.password");
        let mirror: Option<String> = reader.required("git.mirror");
        let poll = reader.or("git.poll", Duration::from_secs(30));
        let trailer_key: Option<SecretString> = reader.required("git.trailer_key");
        if trailer_key.as_ref().is_some_and(|key| key.expose_secret().len() < TRAILER_KEY) {
            reader.problem("git.trailer_key", format!("is too short: at least {TRAILER_KEY} characters"));
        }
        let credentials = match (username, password) {
            (Some(username), Some(secret)) => Some(Credentials { username, secret }),
            (None, None) => None,
            _ => {
                reader.problem("git.username", "needs git.password, and the other way round");
                None
            }
        };
        let name = reader.or("git.name", "stoa-gitops".to_owned());
        let remote = Remote { url: url?, branch, credentials };
        Some(Self { remote, name, mirror: mirror?.into(), poll, trailer_key: trailer_key? })
    }
}
