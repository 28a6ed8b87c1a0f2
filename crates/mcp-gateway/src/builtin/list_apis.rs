//! `stoa_list_apis`: which APIs there are, and which of them can be called here.

use events::CatalogApi;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Context, read};

pub(super) const NAME: &str = "stoa_list_apis";
pub(super) const DESCRIPTION: &str = "Lists the APIs that you can see, with whether they are served in this \
                                      environment. Filter with `search` (words in name, title, description), `tag` or \
                                      `tenant_id`; continue with `cursor`.";

const LIMIT: usize = 20;
const MOST: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    tenant_id: Option<String>,
    tag: Option<String>,
    search: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) fn input() -> Value {
    json!({
        "type": "object",
        "properties": {
            "tenant_id": { "type": "string", "description": "Only APIs of this tenant" },
            "tag": { "type": "string", "description": "Only APIs with this tag" },
            "search": { "type": "string", "description": "Only APIs with all of these words" },
            "limit": { "type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT },
            "cursor": { "type": "string", "description": "`next_cursor` of the answer before" },
        },
        "additionalProperties": false,
    })
}

pub(super) fn call(context: &Context<'_>, arguments: Map<String, Value>) -> Result<Value, String> {
    let wanted: Arguments = read(arguments)?;
    let limit = wanted.limit.unwrap_or(LIMIT).clamp(1, MOST);
    let apis = context.apis();
    let found: Vec<_> = apis.iter().map(|record| &record.event).filter(|api| fits(&wanted, api)).collect();
    let after = |api: &&&CatalogApi| wanted.cursor.as_ref().is_none_or(|cursor| *cursor < path(api));
    let mut rest = found.iter().filter(after);
    let page: Vec<&CatalogApi> = rest.by_ref().take(limit).copied().collect();
    let next = rest.next().and(page.last()).map(|api| path(api));
    let table = context.gateway.table();
    let shown: Vec<_> = page
        .iter()
        .map(|api| {
            let route = table.route(&path(api));
            json!({
                "id": path(api),
                "tenant": api.tenant,
                "name": api.api,
                "display_name": api.display_name,
                "version": api.version,
                "description": api.description.chars().take(300).collect::<String>(),
                "tags": api.tags,
                "served_here": route.is_some(),
                "tools": route.map_or(0, |route| route.tools.len()),
            })
        })
        .collect();
    let mut answer = json!({ "apis": shown, "total": found.len() });
    if let Some(next) = next {
        answer["next_cursor"] = json!(next);
    }
    Ok(answer)
}

fn path(api: &CatalogApi) -> String {
    format!("{}/{}", api.tenant, api.api)
}

fn fits(wanted: &Arguments, api: &CatalogApi) -> bool {
    let of_tenant = wanted.tenant_id.as_ref().is_none_or(|tenant| tenant == api.tenant.as_str());
    let tagged = wanted.tag.as_ref().is_none_or(|tag| api.tags.contains(tag));
    let text = format!("{} {} {}", api.api, api.display_name, api.description).to_lowercase();
    let found = wanted
        .search
        .iter()
        .flat_map(|words| words.split_whitespace())
        .all(|word| text.contains(&word.to_lowercase()));
    of_tenant && tagged && found
}
