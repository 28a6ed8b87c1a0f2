//! `stoa_platform_info`: where the caller is, and what there is.

use events::Level;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Context, read};

pub(super) const NAME: &str = "stoa_platform_info";
pub(super) const DESCRIPTION: &str = "Tells about this STOA platform: version, environment, your tenant, and how many APIs and tools you can use.";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {}

pub(super) fn input() -> Value {
    json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

pub(super) fn call(context: &Context<'_>, arguments: Map<String, Value>) -> Result<Value, String> {
    let Arguments {} = read(arguments)?;
    let table = context.gateway.table();
    let served: Vec<_> = table.routes().filter(|route| context.sees(&route.tenant)).collect();
    let catalogue = context.gateway.catalogue();
    let environment = &context.gateway.identity().environment;
    let environments = catalogue.environments.records();
    let environments: Vec<_> = environments
        .iter()
        .filter(|record| record.event.level == Level::Environment)
        .filter_map(|record| record.event.environment.as_ref())
        .collect();
    let gateways = catalogue.gateways.records();
    let gateways: Vec<_> = gateways
        .iter()
        .map(|record| {
            let gateway = &record.event;
            json!({ "environment": gateway.environment, "name": gateway.gateway, "kind": gateway.kind, "address": gateway.address })
        })
        .collect();
    let tenants = catalogue.tenants.records();
    let tenants: Vec<_> = tenants
        .iter()
        .filter(|record| context.sees(&record.event.tenant))
        .map(|record| json!({ "name": record.event.tenant, "display_name": record.event.display_name }))
        .collect();
    Ok(json!({
        "platform": "STOA",
        "version": env!("CARGO_PKG_VERSION"),
        "environment": environment,
        "caller": { "username": context.principal.username, "tenant": context.principal.tenant },
        "tenants": tenants,
        "environments": environments,
        "gateways": gateways,
        "apis": { "declared": context.apis().len(), "served_here": served.len() },
        "tools": served.iter().map(|route| route.tools.len()).sum::<usize>(),
    }))
}
