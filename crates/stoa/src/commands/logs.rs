//! Show what a deployment did.

use super::tenant;
use crate::{
    cli::{Global, Logs},
    client::Client,
    output::{Column, column, table},
};

const LINES: [Column; 4] = [
    column("time", "/at"),
    column("step", "/step"),
    column("state", "/phase"),
    column("message", "/message"),
];

pub(super) async fn run(global: &Global, arguments: &Logs) -> anyhow::Result<()> {
    let client = Client::connect(global).await?;
    let parts = ["v1", "tenants", tenant(&arguments.tenant)?, "deployments", &arguments.deployment, "logs"];
    let lines = client.list(&client.at(&parts)).await?;
    global.output.write(&lines, || table(&LINES, &lines))
}
