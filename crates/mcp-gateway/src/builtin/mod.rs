//! Tools of the platform itself, answered from the catalogue: what the caller's tenant may see, and nothing else.

mod get_api_details;
mod list_apis;
mod platform_info;

use std::sync::Arc;

use domain::{name::TenantName, rbac::Principal};
use events::{CatalogApi, Envelope};
use serde_json::{Map, Value, json};

use crate::gateway::Gateway;

/// What a call may use.
struct Context<'c> {
    gateway: &'c Gateway,
    principal: &'c Principal,
}

impl Context<'_> {
    /// Whether the caller may see what belongs to `tenant`.
    fn sees(&self, tenant: &TenantName) -> bool {
        self.principal.administers_platform() || self.principal.tenant.as_ref() == Some(tenant)
    }

    /// APIs that the caller may see, in order.
    fn apis(&self) -> Vec<Arc<Envelope<CatalogApi>>> {
        let apis = self.gateway.catalogue().apis.records();
        apis.into_iter().filter(|api| self.sees(&api.event.tenant)).collect()
    }
}

/// Whether a tool is built in.
pub(crate) fn is(name: &str) -> bool {
    [platform_info::NAME, list_apis::NAME, get_api_details::NAME].contains(&name)
}

/// The built-in tools as `tools/list` shows them.
pub(crate) fn entries() -> Vec<(&'static str, Box<str>)> {
    let entry = |name, title: &str, description: &str, input: Value| {
        let entry = json!({
            "name": name,
            "title": title,
            "description": description,
            "inputSchema": input,
            "outputSchema": { "type": "object" },
            "annotations": {
                "title": title, "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true,
                "openWorldHint": false,
            },
        });
        (name, entry.to_string().into_boxed_str())
    };
    vec![
        entry(platform_info::NAME, "Platform", platform_info::DESCRIPTION, platform_info::input()),
        entry(list_apis::NAME, "List APIs", list_apis::DESCRIPTION, list_apis::input()),
        entry(get_api_details::NAME, "API details", get_api_details::DESCRIPTION, get_api_details::input()),
    ]
}

/// The answer of a built-in tool, or what is wrong with the arguments.
pub(crate) fn call(
    name: &str,
    arguments: Map<String, Value>,
    gateway: &Gateway,
    principal: &Principal,
) -> Result<Value, String> {
    let context = Context { gateway, principal };
    match name {
        platform_info::NAME => platform_info::call(&context, arguments),
        list_apis::NAME => list_apis::call(&context, arguments),
        get_api_details::NAME => get_api_details::call(&context, arguments),
        other => Err(format!("there is no built-in tool `{other}`")),
    }
}

/// Reads arguments into their type.
fn read<T: serde::de::DeserializeOwned>(arguments: Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(arguments))
        .map_err(|error| format!("The arguments don't fit the tool: {error}"))
}
