//! Show what is there.

use serde_json::Value;

use super::tenant;
use crate::{
    cli::{Get, Global, Kind},
    client::Client,
    output::{self, Column, column, table},
};

const TENANTS: [Column; 5] = [
    column("name", "/id"),
    column("display name", "/display_name"),
    column("environments", "/environments"),
    column("apis", "/api_count"),
    column("status", "/status"),
];
const APIS: [Column; 5] = [
    column("name", "/name"),
    column("version", "/version"),
    column("display name", "/display_name"),
    column("backend", "/backend_url"),
    column("deployed in", "/deployments/0/environment"),
];
const DEPLOYMENTS: [Column; 9] = [
    column("id", "/id"),
    column("api", "/api_id"),
    column("version", "/version"),
    column("environment", "/environment"),
    column("kind", "/kind"),
    column("status", "/status"),
    column("by", "/deployed_by"),
    column("started", "/started_at"),
    column("error", "/error_message"),
];
const ENVIRONMENTS: [Column; 4] = [
    column("name", "/id"),
    column("display name", "/display_name"),
    column("auto deploy", "/auto_deploy"),
    column("gateways", "/gateways"),
];
const GATEWAYS: [Column; 4] = [
    column("name", "/id"),
    column("type", "/type"),
    column("address", "/address"),
    column("display name", "/display_name"),
];
const TRACES: [Column; 6] = [
    column("id", "/id"),
    column("tenant", "/tenant_id"),
    column("status", "/status"),
    column("what", "/message"),
    column("by", "/author"),
    column("began", "/created_at"),
];

pub(super) async fn run(global: &Global, arguments: &Get) -> anyhow::Result<()> {
    let client = Client::connect(global).await?;
    let name = arguments.name.as_deref();
    if arguments.openapi {
        let parts =
            ["v1", "tenants", tenant(&arguments.tenant)?, "apis", name.unwrap_or_default(), "openapi"];
        return output::line(client.text(&client.at(&parts)).await?.trim_end());
    }
    let (mut parts, columns) = match arguments.kind {
        Kind::Tenants => (vec!["v1", "tenants"], TENANTS.as_slice()),
        Kind::Apis => (vec!["v1", "tenants", tenant(&arguments.tenant)?, "apis"], APIS.as_slice()),
        Kind::Deployments => {
            (vec!["v1", "tenants", tenant(&arguments.tenant)?, "deployments"], DEPLOYMENTS.as_slice())
        }
        Kind::Environments => (vec!["v1", "environments"], ENVIRONMENTS.as_slice()),
        Kind::Gateways => {
            (vec!["v1", "environments", &arguments.environment, "gateways"], GATEWAYS.as_slice())
        }
        Kind::Traces => (vec!["v1", "traces"], TRACES.as_slice()),
    };
    match (name, arguments.kind) {
        (None, _) => {
            let rows = client.list(&client.at(&parts)).await?;
            global.output.write(&rows, || table(columns, &rows))
        }
        (Some(id), Kind::Traces) => {
            parts.extend([id, "timeline"]);
            let found = client.get(&client.at(&parts)).await?;
            global.output.write(&found, || whole(&found))
        }
        // An environment has no page of its own: it stands in the list.
        (Some(name), Kind::Environments) => {
            let rows = client.list(&client.at(&parts)).await?;
            let found = rows.into_iter().find(|row| row.get("id").and_then(Value::as_str) == Some(name));
            let found = found.ok_or_else(|| anyhow::anyhow!("there is no environment `{name}`"))?;
            global.output.write(&found, || whole(&found))
        }
        (Some(name), _) => {
            parts.push(name);
            let found = client.get(&client.at(&parts)).await?;
            global.output.write(&found, || whole(&found))
        }
    }
}

/// One thing with all its fields reads best as YAML.
fn whole(found: &Value) -> String {
    serde_yaml::to_string(found).unwrap_or_else(|_| found.to_string())
}
