//! Deploy an API to an environment, or take it away.

use std::process::ExitCode;

use serde_json::json;

use super::{tenant, wait};
use crate::{
    cli::{Deploy, Global},
    client::Client,
};

pub(super) async fn run(global: &Global, arguments: &Deploy) -> anyhow::Result<ExitCode> {
    let client = Client::connect(global).await?;
    let tenant = tenant(&arguments.tenant)?;
    let mut body = json!({ "api": arguments.name, "environment": arguments.environment });
    if !arguments.gateway.is_empty() {
        body["gateways"] = json!(arguments.gateway);
    }
    if let Some(commit) = &arguments.commit {
        body["pin"] = json!(commit);
    }
    if arguments.remove {
        body["state"] = json!("absent");
    }
    let all = ["v1", "tenants", tenant, "deployments"];
    let url = if arguments.again { client.at(&[&all[..], &["sync"]].concat()) } else { client.at(&all) };
    let accepted = client.post(&url, &body).await?;
    wait::until_ended(global, &client, tenant, accepted, !arguments.no_wait).await
}
