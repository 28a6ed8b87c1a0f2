//! Go back to what was deployed before.

use std::process::ExitCode;

use serde_json::json;

use super::{tenant, wait};
use crate::{
    cli::{Global, Rollback},
    client::Client,
};

pub(super) async fn run(global: &Global, arguments: &Rollback) -> anyhow::Result<ExitCode> {
    let client = Client::connect(global).await?;
    let tenant = tenant(&arguments.tenant)?;
    let body = match &arguments.to {
        Some(to) => json!({ "to": to }),
        None => json!({}),
    };
    let parts = ["v1", "tenants", tenant, "deployments", &arguments.deployment, "rollback"];
    let accepted = client.post(&client.at(&parts), &body).await?;
    wait::until_ended(global, &client, tenant, accepted, !arguments.no_wait).await
}
