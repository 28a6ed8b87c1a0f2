//! Show what a deployment did.

use serde_json::Value;

use super::tenant;
use crate::{
    cli::{Global, Logs},
    client::Client,
    output::{Column, column, table},
};

const LINES: [Column; 4] = [
    column("time", "/at"),
    column("step", "/step"),
    column("phase", "/phase"),
    column("message", "/message"),
];

pub(super) async fn run(global: &Global, arguments: &Logs) -> anyhow::Result<()> {
    let client = Client::connect(global).await?;
    let parts = ["v1", "tenants", tenant(&arguments.tenant)?, "deployments", &arguments.deployment, "logs"];
    let log = client.get(&client.at(&parts)).await?;
    global.output.write(&log, || {
        let lines = log.get("logs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        table(&LINES, lines)
    })
}
