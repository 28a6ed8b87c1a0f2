//! Topics of the broker.

use std::sync::Arc;

use event_bus::Bus;
use events::topics::Cleanup;
use runtime::{Metrics, SystemClock};
use serde_json::{Value, json};

use crate::{
    cli::{AclTool, Broker, Global, Topics},
    connection::bus_settings,
    output::{Column, column, table},
};

const LIST: [Column; 5] = [
    column("topic", "/topic"),
    column("partitions", "/partitions"),
    column("cleanup", "/cleanup"),
    column("writers", "/writers"),
    column("readers", "/readers"),
];
const DRIFT: [Column; 5] = [
    column("topic", "/topic"),
    column("state", "/state"),
    column("what", "/what"),
    column("expected", "/expected"),
    column("found", "/found"),
];

/// A bus for the command line.
pub(super) async fn bus(global: &Global, broker: &Broker) -> anyhow::Result<Bus> {
    let settings = bus_settings(global, broker)?;
    Ok(Bus::connect(settings, "stoa-cli", Arc::new(SystemClock), &Metrics::new("stoa-cli")).await?)
}

pub(super) async fn run(global: &Global, command: &Topics) -> anyhow::Result<()> {
    match command {
        Topics::Apply(broker) => apply(global, broker).await,
        Topics::List(broker) => list(global, broker).await,
        Topics::Acls { tool, admin, outside } => acls(global, *tool, admin, outside),
    }
}

async fn apply(global: &Global, broker: &Broker) -> anyhow::Result<()> {
    let applied = bus(global, broker).await?.topics().apply(events::topics::ALL).await?;
    let created = applied.created.iter().map(|topic| json!({ "topic": topic, "state": "created" }));
    let drift = applied.drift.iter().map(|drift| {
        json!({
            "topic": drift.topic,
            "state": "differs",
            "what": drift.what,
            "expected": drift.expected,
            "found": drift.found,
        })
    });
    let rows: Vec<Value> = created.chain(drift).collect();
    global.output.write(&rows, || {
        if rows.is_empty() { "all topics are as they should be".to_owned() } else { table(&DRIFT, &rows) }
    })
}

fn acls(global: &Global, tool: AclTool, admin: &str, outside: &[String]) -> anyhow::Result<()> {
    let commands: Vec<String> = event_bus::access::acls(events::topics::ALL, outside)
        .iter()
        .map(|acl| match tool {
            AclTool::Kafka => acl.kafka(admin),
            AclTool::Redpanda => acl.redpanda(),
        })
        .collect();
    global.output.write(&commands, || commands.join("\n"))
}

async fn list(global: &Global, broker: &Broker) -> anyhow::Result<()> {
    let found = bus(global, broker).await?.topics().list().await?;
    let rows: Vec<Value> = found
        .iter()
        .map(|(name, partitions)| {
            let known = events::Topic::named(name);
            let parties = |parties: fn(&events::Topic) -> &'static [events::topics::Party]| {
                known.map(|topic| parties(topic).iter().map(|party| format!("{party:?}")).collect::<Vec<_>>())
            };
            let cleanup = known.map(|topic| match topic.cleanup {
                Cleanup::Compact => "compact".to_owned(),
                Cleanup::Delete(after) => format!("after {} d", after.as_secs() / 86_400),
            });
            json!({
                "topic": name,
                "partitions": partitions,
                "cleanup": cleanup,
                "writers": parties(|topic| topic.writers),
                "readers": parties(|topic| topic.readers),
            })
        })
        .collect();
    global.output.write(&rows, || table(&LIST, &rows))
}
