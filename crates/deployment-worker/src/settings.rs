//! What the service needs to know before it binds or connects.

use std::time::Duration;

use runtime::{HttpSettings, Reader, SettingsError, Source, telemetry};

/// The name of the service, of its group and of its saga.
pub(crate) const SERVICE: &str = "deployment-worker";

/// The port when none is set.
const PORT: u16 = 8002;

/// All settings of the service.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Logs and traces.
    pub telemetry: telemetry::Settings,
    /// Where health and metrics are served.
    pub server: web::Settings,
    /// The broker and the schema registry.
    pub bus: event_bus::Settings,
    /// Calls to gateways.
    pub http: HttpSettings,
    /// How deployments are made.
    pub deploy: DeploySettings,
}

/// How patient deployments are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeploySettings {
    /// `deploy.acknowledge_within`: how long the replicas of a gateway may take to acknowledge a route.
    pub acknowledge_within: Duration,
    /// `deploy.probe_timeout`: how long one probe of a gateway may take.
    pub probe_timeout: Duration,
    /// `deploy.probe_attempts`: probes before a deployment counts as not verified.
    pub probe_attempts: u32,
    /// `deploy.reconcile_every`: how often routes are compared with the newest accepted orders.
    pub reconcile_every: Duration,
    /// `deploy.attention_after`: failed attempts of a step before a person is told.
    pub attention_after: u32,
    /// `deploy.at_once`: deployments of one partition that are under way at a time.
    pub at_once: usize,
}

impl Default for DeploySettings {
    fn default() -> Self {
        Self {
            acknowledge_within: Duration::from_secs(15),
            probe_timeout: Duration::from_secs(2),
            probe_attempts: 6,
            reconcile_every: Duration::from_mins(1),
            attention_after: 5,
            at_once: 64,
        }
    }
}

impl Settings {
    /// Reads everything, and reports every problem at once.
    pub fn load(source: &Source) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(source);
        let telemetry = telemetry::Settings::read(&mut reader);
        let server = web::Settings::read(&mut reader, PORT);
        let bus = event_bus::Settings::read(&mut reader);
        let http = HttpSettings::read(&mut reader);
        let deploy = DeploySettings::read(&mut reader);
        reader.complete(|| Some(Self { telemetry, server, bus: bus?, http, deploy }))
    }
}

impl DeploySettings {
    fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        let settings = Self {
            acknowledge_within: reader.or("deploy.acknowledge_within", default.acknowledge_within),
            probe_timeout: reader.or("deploy.probe_timeout", default.probe_timeout),
            probe_attempts: reader.or("deploy.probe_attempts", default.probe_attempts),
            reconcile_every: reader.or("deploy.reconcile_every", default.reconcile_every),
            attention_after: reader.or("deploy.attention_after", default.attention_after),
            at_once: reader.or("deploy.at_once", default.at_once),
        };
        let nothing = [
            ("deploy.acknowledge_within", settings.acknowledge_within.is_zero()),
            ("deploy.probe_timeout", settings.probe_timeout.is_zero()),
            ("deploy.probe_attempts", settings.probe_attempts == 0),
            ("deploy.reconcile_every", settings.reconcile_every.is_zero()),
            ("deploy.attention_after", settings.attention_after == 0),
            ("deploy.at_once", settings.at_once == 0),
        ];
        for (key, _) in nothing.into_iter().filter(|(_, is_zero)| *is_zero) {
            reader.problem(key, "expected more than nothing");
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broker_and_registry_are_all_that_is_needed() {
        let source = Source::given([
            ("kafka.bootstrap_servers", "127.0.0.1:9092"),
            ("schema_registry.url", "http://127.0.0.1:8085"),
        ]);
        let settings = Settings::load(&source).unwrap();
        assert_eq!(settings.server.address.to_string(), "127.0.0.1:8002");
        assert_eq!(settings.deploy, DeploySettings::default());
    }

    #[test]
    fn every_problem_is_named_with_its_key() {
        let source = Source::given([
            ("schema_registry.url", "http://127.0.0.1:8085"),
            ("deploy.acknowledge_within", "soon"),
            ("deploy.probe_attempts", "0"),
            ("DEPLOY_RECONCILE_EVERY", "0s"),
        ]);
        let error = Settings::load(&source).unwrap_err();
        let keys: Vec<_> = error.problems.iter().map(|problem| problem.key.as_str()).collect();
        let expected = [
            "kafka.bootstrap_servers",
            "deploy.acknowledge_within",
            "deploy.probe_attempts",
            "deploy.reconcile_every",
        ];
        assert_eq!(keys, expected);
    }
}
