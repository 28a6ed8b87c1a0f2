//! Settings of the control plane.

use std::{path::PathBuf, time::Duration};

use runtime::{HttpSettings, Reader, SettingsError, Source};
use secrecy::SecretString;

/// Settings of the control plane.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The broker and the registry.
    pub bus: event_bus::Settings,
    /// The listener and the identity provider.
    pub web: web::Settings,
    /// Where Git is and how it is watched.
    pub git: GitSettings,
    /// `sqlite://…` or `postgres://…`; secret, because it may hold a password.
    pub database: SecretString,
    /// How the control plane calls others.
    pub http: HttpSettings,
    /// What orders may take.
    pub orders: OrderSettings,
}

/// Where Git is and how it is watched.
#[derive(Clone, Debug)]
pub struct GitSettings {
    /// The remote: an address or a path.
    pub remote: String,
    /// The branch that holds the desired state.
    pub branch: String,
    /// Where the mirror lies.
    pub mirror: PathBuf,
    /// How often to look without being nudged.
    pub poll: Duration,
    /// The key of the trailers that mark the control plane's own commits.
    pub trailer_key: SecretString,
}

/// What orders may take, and how many removals one step may hold.
#[derive(Clone, Debug)]
pub struct OrderSettings {
    /// From the order to the moment after which nothing is begun.
    pub deadline: Duration,
    /// Removals of live deployments in one step beyond which a person must agree.
    pub deletion_cap: usize,
}
