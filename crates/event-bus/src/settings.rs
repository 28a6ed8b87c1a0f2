//! The section `kafka` and `schema_registry` of a service's settings.

use std::time::Duration;

use rdkafka::ClientConfig;
use runtime::Reader;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// How to reach the broker and the schema registry.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `kafka.bootstrap_servers`: hosts and ports, separated by commas.
    pub bootstrap_servers: String,
    /// `kafka.security_protocol`: `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`.
    pub security_protocol: String,
    /// `kafka.sasl_mechanism`: `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub sasl_mechanism: Option<String>,
    /// `kafka.sasl_username`.
    pub sasl_username: Option<String>,
    /// `kafka.sasl_password`.
    pub sasl_password: Option<SecretString>,
    /// `kafka.ssl_ca_location`: file of the certificate authority.
    pub ssl_ca_location: Option<String>,
    /// `kafka.instance_id`: makes the consumers static members, so that a restart within the session moves no
    /// partition; unique per replica.
    pub instance_id: Option<String>,
    /// `kafka.session_timeout`: how long a silent member keeps its partitions.
    pub session_timeout: Duration,
    /// `kafka.heartbeat_interval`: a third of the session at most.
    pub heartbeat_interval: Duration,
    /// `kafka.delivery_timeout`: how long a record may wait for its acknowledgement.
    pub delivery_timeout: Duration,
    /// `kafka.transaction_timeout`: how long the broker keeps a transaction open that nobody ends.
    pub transaction_timeout: Duration,
    /// `kafka.replication_factor` of the topics that are made.
    pub replication_factor: u16,
    /// `kafka.min_insync_replicas` of the topics that are made.
    pub min_insync_replicas: u16,
    /// `schema_registry.url`: base of its Confluent REST interface.
    pub schema_registry_url: Url,
    /// `schema_registry.username`.
    pub schema_registry_username: Option<String>,
    /// `schema_registry.password`.
    pub schema_registry_password: Option<SecretString>,
    /// `schema_registry.timeout` of one request.
    pub schema_registry_timeout: Duration,
}

impl Settings {
    /// Reads the section; nothing when a required value is missing, which the reader then reports.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let bootstrap_servers = reader.required::<String>("kafka.bootstrap_servers");
        let schema_registry_url = reader.required("schema_registry.url");
        let settings = Self {
            bootstrap_servers: bootstrap_servers.unwrap_or_default(),
            security_protocol: reader.or("kafka.security_protocol", "PLAINTEXT".to_owned()),
            sasl_mechanism: reader.optional("kafka.sasl_mechanism"),
            sasl_username: reader.optional("kafka.sasl_username"),
            sasl_password: reader.optional("kafka.sasl_password"),
            ssl_ca_location: reader.optional("kafka.ssl_ca_location"),
            instance_id: reader.optional("kafka.instance_id"),
            session_timeout: reader.or("kafka.session_timeout", Duration::from_secs(10)),
            heartbeat_interval: reader.or("kafka.heartbeat_interval", Duration::from_secs(3)),
            delivery_timeout: reader.or("kafka.delivery_timeout", Duration::from_secs(30)),
            transaction_timeout: reader.or("kafka.transaction_timeout", Duration::from_secs(15)),
            replication_factor: reader.or("kafka.replication_factor", 1),
            min_insync_replicas: reader.or("kafka.min_insync_replicas", 1),
            schema_registry_username: reader.optional("schema_registry.username"),
            schema_registry_password: reader.optional("schema_registry.password"),
            schema_registry_timeout: reader.or("schema_registry.timeout", Duration::from_secs(5)),
            schema_registry_url: schema_registry_url?,
        };
        if settings.heartbeat_interval * 2 > settings.session_timeout {
            let what = "is too long: a member must beat at least twice in `kafka.session_timeout`";
            reader.problem("kafka.heartbeat_interval", what);
        }
        (!settings.bootstrap_servers.is_empty()).then_some(settings)
    }

    /// A broker and a registry without protection, with time-outs short enough for one machine.
    #[must_use]
    pub fn local(bootstrap_servers: &str, schema_registry_url: Url) -> Self {
        Self {
            bootstrap_servers: bootstrap_servers.to_owned(),
            security_protocol: "PLAINTEXT".to_owned(),
            sasl_mechanism: None,
            sasl_username: None,
            sasl_password: None,
            ssl_ca_location: None,
            instance_id: None,
            session_timeout: Duration::from_millis(1500),
            heartbeat_interval: Duration::from_millis(300),
            delivery_timeout: Duration::from_secs(30),
            transaction_timeout: Duration::from_secs(10),
            replication_factor: 1,
            min_insync_replicas: 1,
            schema_registry_url,
            schema_registry_username: None,
            schema_registry_password: None,
            schema_registry_timeout: Duration::from_secs(5),
        }
    }

    /// What every client has in common.
    pub(crate) fn client(&self, service: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.bootstrap_servers)
            .set("security.protocol", &self.security_protocol)
            .set("client.id", service)
            .set("allow.auto.create.topics", "false")
            .set("broker.address.family", "v4")
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000")
            .set("topic.metadata.refresh.interval.ms", "30000")
            .set("topic.metadata.refresh.fast.interval.ms", "100")
            .set("socket.keepalive.enable", "true")
            .set("log.connection.close", "false");
        let optional = [
            ("sasl.mechanism", self.sasl_mechanism.as_deref()),
            ("sasl.username", self.sasl_username.as_deref()),
            ("sasl.password", self.sasl_password.as_ref().map(ExposeSecret::expose_secret)),
            ("ssl.ca.location", self.ssl_ca_location.as_deref()),
        ];
        for (key, value) in optional {
            if let Some(value) = value {
                config.set(key, value);
            }
        }
        config
    }

    /// A producer that loses nothing and repeats nothing.
    pub(crate) fn producer(&self, service: &str) -> ClientConfig {
        let mut config = self.client(service);
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // A record of a Java or Python client lands where ours does.
            .set("partitioner", "murmur2_random")
            .set("linger.ms", "0")
            // A topic that does not exist is an error soon, not after half a minute.
            .set("topic.metadata.propagation.max.ms", "5000")
            .set("compression.type", "lz4")
            .set("message.max.bytes", largest_record().to_string())
            .set("delivery.timeout.ms", self.delivery_timeout.as_millis().to_string());
        config
    }

    /// A reader without a group that sees committed records only.
    pub(crate) fn reader(&self, service: &str) -> ClientConfig {
        let mut config = self.client(service);
        let largest = largest_record();
        config
            // librdkafka wants a name here even where no group is joined.
            .set("group.id", format!("{service}.reader"))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", "error")
            .set("fetch.wait.max.ms", "100")
            .set("fetch.error.backoff.ms", "50")
            // Per partition, because a reader has a queue for each: what waits there is memory, and a record that is
            // larger comes all the same. Who found the queue full asks again soon, instead of after a second.
            .set("queued.max.messages.kbytes", "1024")
            .set("fetch.queue.backoff.ms", "20")
            .set("fetch.message.max.bytes", "1048576")
            .set("fetch.max.bytes", "4194304")
            .set("receive.message.max.bytes", (2 * largest + 1024).to_string());
        config
    }

    /// A member of a group whose offsets move only by our word.
    pub(crate) fn member(&self, service: &str, group_id: &str) -> ClientConfig {
        let mut config = self.reader(service);
        config
            .set("group.id", group_id)
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", "1000")
            .set("enable.partition.eof", "false")
            // Of all its partitions together.
            .set("queued.max.messages.kbytes", "4096")
            // Partition n of a topic and of its retry topic go to the same member.
            .set("partition.assignment.strategy", "range")
            .set("session.timeout.ms", self.session_timeout.as_millis().to_string())
            .set("heartbeat.interval.ms", self.heartbeat_interval.as_millis().to_string())
            .set("statistics.interval.ms", "5000");
        if let Some(instance) = &self.instance_id {
            config.set("group.instance.id", instance);
        }
        config
    }
}

/// The broker counts key, headers and framing too.
fn largest_record() -> usize {
    events::limits::RECORD_WITH_DOCUMENT + events::limits::DEAD_LETTER_OVERHEAD + 64 * 1024
}

#[cfg(test)]
mod tests {
    use runtime::Source;

    use super::*;

    fn problems(pairs: &[(&str, &str)]) -> Vec<String> {
        let source = Source::given(pairs.iter().copied());
        let mut reader = Reader::new(&source);
        let settings = Settings::read(&mut reader);
        let error = reader.complete(|| settings.map(|_| ())).err();
        error.into_iter().flat_map(|error| error.problems).map(|problem| problem.key).collect()
    }

    const NEEDED: [(&str, &str); 2] =
        [("KAFKA_BOOTSTRAP_SERVERS", "a:9092,b:9092"), ("SCHEMA_REGISTRY_URL", "http://registry:8081")];

    #[test]
    fn broker_and_registry_are_needed_and_nothing_else() {
        assert_eq!(problems(&NEEDED), [""; 0]);
        assert_eq!(problems(&[]), ["kafka.bootstrap_servers", "schema_registry.url"]);
    }

    #[test]
    fn a_member_must_beat_within_its_session() {
        let [broker, registry] = NEEDED;
        let settings =
            [broker, registry, ("KAFKA_SESSION_TIMEOUT", "6s"), ("KAFKA_HEARTBEAT_INTERVAL", "5s")];
        assert_eq!(problems(&settings), ["kafka.heartbeat_interval"]);
    }

    #[test]
    fn clients_lose_nothing_and_guess_nothing() {
        let url = Url::parse("http://127.0.0.1:8085").unwrap();
        let settings = Settings { instance_id: Some("one".to_owned()), ..Settings::local("a:9092", url) };
        let member = settings.member("tester", "group.topic");
        for (key, value) in [
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "error"),
            ("isolation.level", "read_committed"),
            ("partition.assignment.strategy", "range"),
            ("group.instance.id", "one"),
            ("session.timeout.ms", "1500"),
        ] {
            assert_eq!(member.get(key), Some(value), "{key}");
        }
        let producer = settings.producer("tester");
        for (key, value) in
            [("acks", "all"), ("enable.idempotence", "true"), ("partitioner", "murmur2_random")]
        {
            assert_eq!(producer.get(key), Some(value), "{key}");
        }
    }
}
