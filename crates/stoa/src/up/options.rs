//! What `stoa up` takes.

use clap::Args;
use url::Url;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Add a demo tenant with a live sample API, deploy it, and say what to try
    #[arg(long)]
    pub demo: bool,
    /// Sign in with the development token issuer only, without Keycloak and OpenBao
    #[arg(long)]
    pub light: bool,
    /// Run each service from its own binary, found beside this one
    #[arg(long)]
    pub separate: bool,
    /// Use this broker instead of starting one
    #[arg(long, value_name = "HOST:PORT")]
    pub kafka: Option<String>,
    /// Use this schema registry instead of starting one
    #[arg(long, value_name = "URL")]
    pub registry: Option<Url>,
    /// Use this Git remote instead of a repository in the data directory
    #[arg(long, value_name = "URL", conflicts_with = "demo")]
    pub git: Option<String>,
    /// Use this token issuer instead of starting one
    #[arg(long, value_name = "URL")]
    pub issuer: Option<Url>,
}
