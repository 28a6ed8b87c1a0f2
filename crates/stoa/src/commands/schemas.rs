//! Schemas of the records.

use std::process::ExitCode;

use events::{compatibility, schemas};
use serde_json::{Value, json};

use super::topics::bus;
use crate::{
    cli::{Global, Schemas},
    output::{Column, column, table},
};

const LIST: [Column; 3] = [column("topic", "/topic"), column("version", "/version"), column("id", "/id")];
const CHECK: [Column; 3] =
    [column("topic", "/topic"), column("versions", "/versions"), column("state", "/state")];

/// Checks every version of every schema against every other; a conflict fails the command.
pub(super) fn check(global: &Global) -> anyhow::Result<ExitCode> {
    let mut rows = Vec::new();
    let mut sound = true;
    for topic in events::topics::ALL {
        let versions: Vec<_> = schemas::of(topic.name).collect();
        let conflict = versions.iter().enumerate().find_map(|(index, new)| {
            versions[..index].iter().find_map(|old| {
                let error = compatibility::full(new.text, old.text).err()?;
                Some(format!("{} with {}: {}", new.version, old.version, runtime::chain(&error)))
            })
        });
        sound &= conflict.is_none();
        let state = conflict.unwrap_or_else(|| "ok".to_owned());
        rows.push(json!({ "topic": topic.name, "versions": versions.len(), "state": state }));
    }
    global.output.write(&rows, || table(&CHECK, &rows))?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) async fn run(global: &Global, command: &Schemas) -> anyhow::Result<()> {
    let Schemas::Register(broker) = command else {
        let rows = known();
        return global.output.write(&rows, || table(&LIST, &rows));
    };
    let bus = bus(global, broker).await?;
    let moved = bus.registry().restore().await?;
    bus.registry().demand_full_transitive().await?;
    let rows: Vec<Value> = moved
        .iter()
        .map(|(version, id)| json!({ "topic": version.topic, "version": version.version, "id": id.0 }))
        .collect();
    global.output.write(&rows, || {
        if rows.is_empty() {
            "the registry knows every version under its own id".to_owned()
        } else {
            format!("known under other ids:\n{}", table(&LIST, &rows))
        }
    })
}

fn known() -> Vec<Value> {
    let rows = schemas::ALL.iter();
    rows.map(|it| json!({ "topic": it.topic, "version": it.version, "id": it.id.0 })).collect()
}
