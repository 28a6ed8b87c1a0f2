//! What the service needs to know before it binds or connects.

use std::time::Duration;

use domain::name::EnvironmentName;
use runtime::{HttpSettings, Reader, SettingsError, Source, telemetry};
use url::Url;
use web::OidcSettings;

/// The name of the service, and the audience of its tokens.
pub(crate) const SERVICE: &str = "mcp-gateway";

/// The port when none is set.
const PORT: u16 = 8080;

/// A route's own limit, at most five minutes, comes before the server's.
const ANSWER: Duration = Duration::from_secs(330);

/// All settings of the service.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Logs and traces.
    pub telemetry: telemetry::Settings,
    /// Where it listens.
    pub server: web::Settings,
    /// The broker and the schema registry.
    pub bus: event_bus::Settings,
    /// Which tokens are accepted.
    pub oidc: OidcSettings,
    /// Calls to backends.
    pub http: HttpSettings,
    /// `gateway.environment`: the environment that is served.
    pub environment: EnvironmentName,
    /// `gateway.replica`: the name of this replica; drawn if it is not set.
    pub replica: Option<String>,
    /// The MCP endpoint.
    pub mcp: McpSettings,
}

/// Settings of the MCP endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpSettings {
    /// `mcp.url`: where clients reach the service, without the `/mcp`. On loopback it may be left out.
    pub url: Option<Url>,
    /// `mcp.allowed_origins`: web origins that may call, besides the own and, on loopback, local ones.
    pub allowed_origins: Vec<String>,
    /// `mcp.allowed_hosts`: names beside the local ones that a service on loopback answers to.
    pub allowed_hosts: Vec<String>,
    /// `mcp.scopes`: what clients should ask the issuer for.
    pub scopes: Vec<String>,
    /// `mcp.anonymous`: whether callers without a token see the tools of APIs that anybody may call.
    pub anonymous: bool,
    /// `mcp.page_size`: tools on one page of the list.
    pub page_size: usize,
    /// `mcp.result_limit`: the longest answer of a backend that becomes a tool's result, in bytes.
    pub result_limit: usize,
}

impl Default for McpSettings {
    fn default() -> Self {
        Self {
            url: None,
            allowed_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            scopes: Vec::new(),
            anonymous: false,
            page_size: 500,
            result_limit: 1 << 20,
        }
    }
}

impl Settings {
    /// Reads everything, and reports every problem at once.
    pub fn load(source: &Source) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(source);
        let telemetry = telemetry::Settings::read(&mut reader);
        let mut server = web::Settings::read(&mut reader, PORT);
        if !reader.is_set("server.timeout") {
            server.timeout = ANSWER;
        }
        let bus = event_bus::Settings::read(&mut reader);
        let oidc = OidcSettings::read(&mut reader, SERVICE);
        let http = HttpSettings::read(&mut reader);
        let environment = reader.optional("gateway.environment").or_else(|| "dev".parse().ok());
        let replica = reader.optional("gateway.replica");
        let mcp = McpSettings::read(&mut reader, server.address.ip().is_loopback());
        reader.complete(|| {
            let (bus, oidc, environment) = (bus?, oidc?, environment?);
            Some(Self { telemetry, server, bus, oidc, http, environment, replica, mcp })
        })
    }
}

impl McpSettings {
    /// Reads the section `mcp`; away from loopback the public address is needed.
    fn read(reader: &mut Reader<'_>, on_loopback: bool) -> Self {
        let default = Self::default();
        let domain: Option<String> = reader.optional("base_domain");
        let derived = domain.and_then(|domain| Url::parse(&format!("https://mcp.{domain}/")).ok());
        let settings = Self {
            url: reader.optional("mcp.url").or(derived),
            allowed_origins: reader.or("mcp.allowed_origins", default.allowed_origins),
            allowed_hosts: reader.or("mcp.allowed_hosts", default.allowed_hosts),
            scopes: reader.or("mcp.scopes", default.scopes),
            anonymous: reader.or("mcp.anonymous", default.anonymous),
            page_size: reader.or("mcp.page_size", default.page_size),
            result_limit: reader.or("mcp.result_limit", default.result_limit),
        };
        if settings.url.is_none() && !on_loopback {
            reader
                .problem("mcp.url", "is not set, and no `BASE_DOMAIN` gives it; clients need it to sign in");
        }
        if settings.page_size == 0 {
            reader.problem("mcp.page_size", "expected at least 1");
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minimal() -> Source {
        Source::given([
            ("kafka.bootstrap_servers", "127.0.0.1:9092"),
            ("schema_registry.url", "http://127.0.0.1:8085"),
            ("oidc.issuer", "http://127.0.0.1:8081"),
        ])
    }

    #[test]
    fn on_loopback_little_is_needed() {
        let settings = Settings::load(&minimal()).unwrap();
        assert_eq!(settings.environment.as_str(), "dev");
        assert_eq!(settings.oidc.audience, "mcp-gateway");
        assert_eq!(settings.server.address.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.mcp, McpSettings::default());
    }

    #[test]
    fn every_problem_is_named_with_its_key() {
        let source = minimal()
            .with("server.address", "0.0.0.0:8080")
            .with("gateway.environment", "No Env")
            .with("mcp.page_size", "0");
        let error = Settings::load(&source).unwrap_err();
        let keys: Vec<_> = error.problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["gateway.environment", "mcp.url", "mcp.page_size"]);
    }

    #[test]
    fn the_base_domain_gives_the_public_address() {
        let source = minimal().with("server.address", "0.0.0.0:8080").with("BASE_DOMAIN", "example.org");
        let settings = Settings::load(&source).unwrap();
        assert_eq!(settings.mcp.url.unwrap().as_str(), "https://mcp.example.org/");
    }
}
