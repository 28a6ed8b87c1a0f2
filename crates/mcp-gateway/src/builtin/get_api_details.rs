//! `stoa_get_api_details`: one API, its tools, and its document if wanted.

use events::{Authentication, CatalogApi};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Context, read};

pub(super) const NAME: &str = "stoa_get_api_details";
pub(super) const DESCRIPTION: &str = "Tells everything about one API: how to call it, its tools with method and path, \
                                      and, with `include_document`, its OpenAPI document.";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    api_id: String,
    #[serde(default)]
    include_document: bool,
}

pub(super) fn input() -> Value {
    json!({
        "type": "object",
        "properties": {
            "api_id": { "type": "string", "description": "`{tenant}/{name}`, the name alone, or the uid" },
            "include_document": { "type": "boolean", "default": false },
        },
        "required": ["api_id"],
        "additionalProperties": false,
    })
}

pub(super) fn call(context: &Context<'_>, arguments: Map<String, Value>) -> Result<Value, String> {
    let wanted: Arguments = read(arguments)?;
    let api = find(context, &wanted.api_id)?;
    let api = &api.event;
    let path = format!("{}/{}", api.tenant, api.api);
    let table = context.gateway.table();
    let route = table.route(&path);
    let tools: Vec<_> = route
        .iter()
        .flat_map(|route| &route.tools)
        .map(|served| {
            json!({
                "name": served.name,
                "title": served.tool.title,
                "method": served.tool.method.as_str(),
                "path": served.tool.path,
                "operation_id": served.tool.operation_id,
            })
        })
        .collect();
    let mut answer = json!({
        "id": path,
        "uid": api.uid,
        "tenant": api.tenant,
        "name": api.api,
        "display_name": api.display_name,
        "version": api.version,
        "description": api.description,
        "tags": api.tags,
        "token_needed": api.authentication != Authentication::None,
        "scopes": api.scopes,
        "environment": context.gateway.identity().environment,
        "served_here": route.is_some(),
        "generation": route.map(|route| route.generation.to_string()),
        "path": format!("/apis/{path}/"),
        "tools": tools,
    });
    if wanted.include_document {
        answer["document"] = document(context, api)?;
    }
    Ok(answer)
}

fn find(context: &Context<'_>, id: &str) -> Result<std::sync::Arc<events::Envelope<CatalogApi>>, String> {
    let apis = context.apis();
    let is_it = |api: &CatalogApi| {
        let path = id
            .split_once('/')
            .is_some_and(|(tenant, name)| api.tenant.as_str() == tenant && api.api.as_str() == name);
        path || api.api.as_str() == id || api.uid.to_string() == id
    };
    let mut found = apis.into_iter().filter(|record| is_it(&record.event));
    let shown: String = id.chars().take(80).collect();
    match (found.next(), found.next()) {
        (Some(api), None) => Ok(api),
        (None, _) => Err(format!("You see no API `{shown}`; stoa_list_apis tells which there are")),
        (Some(_), Some(_)) => {
            Err(format!("Several tenants have an API `{shown}`; write it as `tenant/{shown}`"))
        }
    }
}

fn document(context: &Context<'_>, api: &CatalogApi) -> Result<Value, String> {
    let Some(document) = &api.document else { return Ok(Value::Null) };
    let limit = context.gateway.mcp().result_limit;
    if usize::try_from(document.size).is_ok_and(|size| size > limit) {
        return Err(format!(
            "The document has {} bytes, more than the {limit} that a result may have",
            document.size
        ));
    }
    let bytes = document.unpack().map_err(|error| error.to_string())?;
    Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned()))
}
