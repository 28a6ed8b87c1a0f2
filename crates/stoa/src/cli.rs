//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::name::EnvironmentName;
use url::Url;

use crate::{output::Format, up};

/// The control plane of your APIs: declared in Git, deployed to gateways, usable by agents.
#[derive(Debug, Parser)]
#[command(name = "stoa", version, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// The data directory of `stoa up` [default: `${XDG_DATA_HOME:-~/.local/share}/stoa`]
    #[arg(long, global = true, env = "STOA_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The control plane, if it is not the one that `stoa up` started
    #[arg(long, global = true, env = "STOA_API", value_name = "URL")]
    pub api: Option<Url>,
    /// The access token, if it is not that of the signed-in user
    #[arg(long, global = true, env = "STOA_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// How results are written
    #[arg(short, long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the whole platform on this machine
    Up(up::Options),
    /// Write the first content of a repository
    Init(Init),
    /// Check the files of a repository before they are pushed
    Validate(Validate),
    /// Sign in
    Login(Login),
    /// Print an access token
    Token(Token),
    /// Show what is there
    Get(Get),
    /// Declare the tenants, APIs, deployments and gateways of files
    Apply(Apply),
    /// Deploy an API to an environment
    Deploy(Deploy),
    /// Go back to what was deployed before
    Rollback(Rollback),
    /// Show what a deployment did
    Logs(Logs),
    /// Topics of the broker
    #[command(subcommand)]
    Topics(Topics),
    /// Schemas of the records
    #[command(subcommand)]
    Schemas(Schemas),
    /// Records that could not be taken in
    #[command(subcommand)]
    Dlq(Dlq),
    /// Bring everything back after the broker was lost
    Recover(Recover),
    /// Print the completions of a shell
    Completions {
        /// Whose completions
        shell: clap_complete::Shell,
    },
}

/// Which tenant is meant.
#[derive(Clone, Debug, Args)]
pub(crate) struct OfTenant {
    /// The tenant
    #[arg(short, long, env = "STOA_TENANT")]
    pub tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// A Git remote or a folder; an absent folder becomes a bare repository
    pub remote: String,
    /// The first administrator's user name
    #[arg(long, default_value = "admin")]
    pub admin: String,
    /// The first administrator's e-mail address
    #[arg(long, default_value = "admin@stoa.example")]
    pub email: String,
    /// The domain under which the platform is reached
    #[arg(long, env = "BASE_DOMAIN", default_value = "stoa.example")]
    pub domain: String,
    /// An environment, and where callers reach its built-in gateway; may be said more than once
    #[arg(long, value_name = "ENVIRONMENT=URL", default_value = "dev=http://127.0.0.1:8080", value_parser = gateway)]
    pub gateway: Vec<(EnvironmentName, String)>,
}

/// `dev=http://127.0.0.1:8080`, without the slash that an address may end with.
fn gateway(text: &str) -> Result<(EnvironmentName, String), String> {
    let (environment, address) = text.split_once('=').ok_or("expected ENVIRONMENT=URL")?;
    let environment = environment.parse().map_err(|error| format!("{error}"))?;
    let address: Url = address.parse().map_err(|error| format!("`{address}` is no address: {error}"))?;
    Ok((environment, address.as_str().trim_end_matches('/').to_owned()))
}

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// A checkout of the repository
    #[arg(default_value = ".")]
    pub path: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Login {
    /// A user that the development token issuer knows; without this, a browser is asked
    #[arg(short, long, conflicts_with = "issuer")]
    pub user: Option<String>,
    /// Who signs the tokens of a control plane elsewhere
    #[arg(long, env = "OIDC_ISSUER", value_name = "URL")]
    pub issuer: Option<Url>,
    /// The client that the issuer knows this program by
    #[arg(long, value_name = "ID", default_value = "stoa-cli")]
    pub client: String,
}

#[derive(Debug, Args)]
pub(crate) struct Token {
    /// Somebody else than the signed-in user
    #[arg(short, long)]
    pub user: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    #[value(alias = "tenant")]
    Tenants,
    #[value(alias = "api")]
    Apis,
    #[value(alias = "deployment")]
    Deployments,
    #[value(alias = "environment", alias = "envs")]
    Environments,
    #[value(alias = "gateway")]
    Gateways,
    #[value(alias = "trace")]
    Traces,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// What to show
    #[arg(value_enum)]
    pub kind: Kind,
    /// One of them
    pub name: Option<String>,
    #[command(flatten)]
    pub tenant: OfTenant,
    /// The environment of gateways
    #[arg(short, long, default_value = "dev")]
    pub environment: String,
    /// The OpenAPI document of an API
    #[arg(long, requires = "name")]
    pub openapi: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// A document in its place of the repository's layout, or a folder with some
    #[arg(short, long, required = true, value_name = "PATH")]
    pub file: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Deploy {
    /// The API
    pub name: String,
    #[command(flatten)]
    pub tenant: OfTenant,
    /// Where to
    #[arg(short, long, default_value = "dev")]
    pub environment: String,
    /// Only these gateways of the environment
    #[arg(short, long)]
    pub gateway: Vec<String>,
    /// The content of this commit instead of the newest
    #[arg(long, value_name = "COMMIT")]
    pub commit: Option<String>,
    /// Take it away instead
    #[arg(long, conflicts_with = "commit")]
    pub remove: bool,
    /// Bring what is declared to its gateways once more, whatever became of the last time
    #[arg(long, conflicts_with_all = ["commit", "remove"])]
    pub again: bool,
    /// Return before it is done
    #[arg(long)]
    pub no_wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The deployment's id
    pub deployment: String,
    #[command(flatten)]
    pub tenant: OfTenant,
    /// Back to what this deployment brought, instead of what ran before
    #[arg(long, value_name = "DEPLOYMENT")]
    pub to: Option<String>,
    /// Return before it is done
    #[arg(long)]
    pub no_wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The deployment's id
    pub deployment: String,
    #[command(flatten)]
    pub tenant: OfTenant,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Topics {
    /// Make the topics that are missing, and say how the others differ
    Apply(Broker),
    /// Show the topics
    List(Broker),
    /// Print the commands that allow each service its topics, and nothing else
    Acls {
        /// For which broker's tool
        #[arg(long, value_enum, default_value_t, value_name = "TOOL")]
        tool: AclTool,
        /// Where the broker answers its administrators; for Kafka's tool
        #[arg(long, default_value = "localhost:9092", value_name = "HOST:PORT")]
        admin: String,
        /// A program of another team that writes requests and reads what becomes of them; may be said more than once
        #[arg(long, value_name = "USER")]
        outside: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum AclTool {
    /// kafka-acls.sh
    #[default]
    Kafka,
    /// rpk
    Redpanda,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Schemas {
    /// Check every version against every other
    Check,
    /// Register what the registry does not know
    Register(Broker),
    /// Show the versions with their ids
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dlq {
    /// Show dead letters, of all topics and groups or of one
    List {
        #[command(flatten)]
        broker: Broker,
        /// Only of this topic
        #[arg(long)]
        topic: Option<String>,
        /// Only of this group
        #[arg(long)]
        group: Option<String>,
    },
    /// Show one with its bytes
    Show {
        /// The dead-letter topic, such as `deploy-orders.deployment-worker.dlq`
        queue: String,
        /// The offset
        offset: i64,
        #[command(flatten)]
        broker: Broker,
    },
    /// Give one to its group again
    Replay {
        /// The dead-letter topic
        queue: String,
        /// The offset
        offset: i64,
        #[command(flatten)]
        broker: Broker,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Recover {
    /// Do it; without this, only say what would be done
    #[arg(long)]
    pub yes: bool,
}

/// Which broker, if it is not the one that `stoa up` started.
#[derive(Clone, Debug, Args)]
pub(crate) struct Broker {
    /// The broker
    #[arg(long, env = "KAFKA_BOOTSTRAP_SERVERS", value_name = "HOST:PORT")]
    pub kafka: Option<String>,
    /// The schema registry
    #[arg(long, env = "SCHEMA_REGISTRY_URL", value_name = "URL")]
    pub registry: Option<Url>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_usual_lines_parse() {
        for line in [
            "stoa up --demo --light --data /tmp/x",
            "stoa up --kafka broker:9092 --registry http://r:8081 --git https://g/x.git --issuer https://i",
            "stoa init /srv/gitops --domain acme.example --gateway dev=http://a --gateway prod=http://b",
            "stoa validate repository",
            "stoa get apis petstore --tenant demo -o yaml",
            "stoa get gateways -e prod --output json",
            "stoa deploy petstore -t demo -e dev",
            "stoa deploy petstore -t demo --again",
            "stoa rollback 0198 -t demo",
            "stoa dlq replay deploy-orders.deployment-worker.dlq 3",
            "stoa topics acls --tool redpanda --outside ci",
            "stoa token --user ada",
            "stoa login --api https://api.acme.example --issuer https://auth.acme.example/realms/stoa",
            "stoa completions bash",
        ] {
            Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }
}
