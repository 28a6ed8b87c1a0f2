//! Who may do what on the broker, from the table of topics.

use std::{collections::BTreeSet, fmt};

use events::{Topic, topics::Party};

/// The services and what their groups, transactional ids and companions of topics begin with.
const SERVICES: [(Party, &str, &str); 3] = [
    // It has the group `control-plane-relay` too.
    (Party::ControlPlaneApi, "control-plane-api", "control-plane-"),
    (Party::DeploymentWorker, "deployment-worker", "deployment-worker"),
    (Party::McpGateway, "mcp-gateway", "mcp-gateway"),
];

/// What a permission is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// The cluster.
    Cluster,
    /// The topic of this name.
    Topic(String),
    /// All topics whose names begin like this.
    Topics(String),
    /// All consumer groups whose names begin like this.
    Groups(String),
    /// All transactional ids that begin like this.
    TransactionalIds(String),
}

/// What is permitted; reading and writing include describing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Make topics.
    Create,
    /// Write without repetitions.
    IdempotentWrite,
    /// Read, and keep offsets of a group.
    Read,
    /// Write.
    Write,
}

/// One permission of one principal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acl {
    /// Such as `User:deployment-worker`.
    pub principal: String,
    /// On what.
    pub resource: Resource,
    /// What.
    pub operation: Operation,
}

/// Every permission that follows from `table`: for the services by their names, and for the programs `outside`.
///
/// A reader also has its dead letters and retries, `<topic>.<group>.dlq` and `.retry`, which it makes itself. Making
/// the topics of the table is nobody's of these: who runs `stoa topics apply` is a super user.
#[must_use]
pub fn acls(table: &[&Topic], outside: &[String]) -> BTreeSet<Acl> {
    let mut acls = BTreeSet::new();
    for (party, name, prefix) in SERVICES {
        let is_named = |parties: &[Party]| parties.contains(&party) || parties.contains(&Party::EveryService);
        let mut allow = allowing(name, &mut acls);
        allow(Resource::Cluster, Operation::IdempotentWrite);
        allow(Resource::Groups(prefix.to_owned()), Operation::Read);
        allow(Resource::TransactionalIds(prefix.to_owned()), Operation::Write);
        for topic in table {
            if is_named(topic.writers) {
                allow(Resource::Topic(topic.name.to_owned()), Operation::Write);
            }
            if is_named(topic.readers) {
                allow(Resource::Topic(topic.name.to_owned()), Operation::Read);
                for operation in [Operation::Create, Operation::Read, Operation::Write] {
                    allow(Resource::Topics(format!("{}.{prefix}", topic.name)), operation);
                }
            }
        }
    }
    for name in outside {
        let mut allow = allowing(name, &mut acls);
        allow(Resource::Cluster, Operation::IdempotentWrite);
        allow(Resource::Groups(format!("{name}.")), Operation::Read);
        for topic in table {
            if topic.writers.contains(&Party::Outside) {
                allow(Resource::Topic(topic.name.to_owned()), Operation::Write);
            }
            if topic.readers.contains(&Party::Outside) {
                allow(Resource::Topic(topic.name.to_owned()), Operation::Read);
            }
        }
    }
    acls
}

fn allowing<'a>(name: &str, acls: &'a mut BTreeSet<Acl>) -> impl FnMut(Resource, Operation) + use<'a> {
    let principal = format!("User:{name}");
    move |resource, operation| {
        acls.insert(Acl { principal: principal.clone(), resource, operation });
    }
}

impl Acl {
    /// The command of Apache Kafka that makes it.
    #[must_use]
    pub fn kafka(&self, bootstrap_servers: &str) -> String {
        let command = format!("kafka-acls.sh --bootstrap-server {} --add", quoted(bootstrap_servers));
        self.command(&command, &format!("{:?}", self.operation))
    }

    /// The command of Redpanda that makes it.
    #[must_use]
    pub fn redpanda(&self) -> String {
        let operation = match self.operation {
            Operation::Create => "create",
            Operation::IdempotentWrite => "idempotent_write",
            Operation::Read => "read",
            Operation::Write => "write",
        };
        self.command("rpk security acl create", operation)
    }

    /// Both take the same options.
    fn command(&self, command: &str, operation: &str) -> String {
        let principal = quoted(&self.principal);
        format!("{command} --allow-principal {principal} --operation {operation} {}", self.resource)
    }
}

/// As both commands take it.
impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (option, name, pattern) = match self {
            Self::Cluster => return f.write_str("--cluster"),
            Self::Topic(name) => ("topic", name, "literal"),
            Self::Topics(prefix) => ("topic", prefix, "prefixed"),
            Self::Groups(prefix) => ("group", prefix, "prefixed"),
            Self::TransactionalIds(prefix) => ("transactional-id", prefix, "prefixed"),
        };
        write!(f, "--{option} {} --resource-pattern-type {pattern}", quoted(name))
    }
}

/// For a shell: a principal may be the name in a certificate, with spaces.
fn quoted(text: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || ".,:=_-".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use events::topics;

    use super::*;

    fn of(principal: &str, table: &[&Topic]) -> Vec<String> {
        let principal = format!("User:{principal}");
        let outside = ["acme ci".to_owned()];
        acls(table, &outside)
            .into_iter()
            .filter(|acl| acl.principal == principal)
            .map(|acl| format!("{:?} {}", acl.operation, acl.resource))
            .collect()
    }

    const ORDERS_AND_RESULTS: &[&Topic] = &[&topics::DEPLOY_ORDERS, &topics::DEPLOY_RESULTS];

    #[test]
    fn a_service_writes_and_reads_what_the_table_says_and_keeps_its_dead_letters() {
        assert_eq!(
            of("deployment-worker", ORDERS_AND_RESULTS),
            [
                "IdempotentWrite --cluster",
                "Read --topic deploy-orders --resource-pattern-type literal",
                "Read --topic deploy-results --resource-pattern-type literal",
                "Write --topic deploy-results --resource-pattern-type literal",
                "Create --topic deploy-orders.deployment-worker --resource-pattern-type prefixed",
                "Read --topic deploy-orders.deployment-worker --resource-pattern-type prefixed",
                "Write --topic deploy-orders.deployment-worker --resource-pattern-type prefixed",
                "Create --topic deploy-results.deployment-worker --resource-pattern-type prefixed",
                "Read --topic deploy-results.deployment-worker --resource-pattern-type prefixed",
                "Write --topic deploy-results.deployment-worker --resource-pattern-type prefixed",
                "Read --group deployment-worker --resource-pattern-type prefixed",
                "Write --transactional-id deployment-worker --resource-pattern-type prefixed",
            ]
        );
    }

    #[test]
    fn orders_have_one_writer_and_outside_has_no_topic_but_those_made_for_it() {
        let writes = |name: &str| {
            let rows = of(name, topics::ALL);
            let written = rows.iter().filter_map(|row| row.strip_prefix("Write --topic "));
            let literal = written.filter_map(|row| row.strip_suffix(" --resource-pattern-type literal"));
            literal.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(writes("acme ci"), ["api-registration", "deploy-requests"]);
        assert!(writes("control-plane-api").contains(&"deploy-orders".to_owned()));
        for service in ["deployment-worker", "mcp-gateway"] {
            assert!(!writes(service).contains(&"deploy-orders".to_owned()), "{service}");
        }
        let read = of("acme ci", ORDERS_AND_RESULTS);
        assert_eq!(
            read,
            [
                "IdempotentWrite --cluster",
                "Read --topic deploy-results --resource-pattern-type literal",
                "Read --group 'acme ci.' --resource-pattern-type prefixed",
            ]
        );
    }

    #[test]
    fn who_keeps_its_state_in_a_topic_reads_it_again() {
        let reads = |service: &str, topic: &str| {
            let row = format!("Read --topic {topic} --resource-pattern-type literal");
            of(service, topics::ALL).contains(&row)
        };
        for (service, topic) in [
            ("control-plane-api", "catalog-apis"),
            ("control-plane-api", "gitops-nudges"),
            ("deployment-worker", "deployment-state"),
            ("deployment-worker", "gateway-routes"),
            ("mcp-gateway", "gateway-routes"),
        ] {
            assert!(reads(service, topic), "{service} {topic}");
        }
        assert!(!reads("mcp-gateway", "deployment-state"));
    }

    #[test]
    fn every_party_of_the_table_is_somebody() {
        for party in topics::ALL.iter().flat_map(|topic| topic.writers.iter().chain(topic.readers)) {
            let service = SERVICES.iter().any(|(known, ..)| known == party);
            assert!(service || matches!(party, Party::EveryService | Party::Outside), "{party:?}");
        }
    }

    #[test]
    fn commands_are_those_of_kafka_and_of_redpanda() {
        let acl = Acl {
            principal: "User:CN=acme ci".to_owned(),
            resource: Resource::Topic("deploy-requests".to_owned()),
            operation: Operation::Write,
        };
        assert_eq!(
            acl.kafka("broker:9092"),
            "kafka-acls.sh --bootstrap-server broker:9092 --add --allow-principal 'User:CN=acme ci' \
             --operation Write --topic deploy-requests --resource-pattern-type literal"
        );
        assert_eq!(
            acl.redpanda(),
            "rpk security acl create --allow-principal 'User:CN=acme ci' --operation write \
             --topic deploy-requests --resource-pattern-type literal"
        );
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
