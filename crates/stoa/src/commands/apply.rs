//! Create or change tenants, APIs and gateways from files of the repository's layout, through the REST API.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use domain::entity::{Api, Authentication, Entity, Gateway, GatewayKind, Tenant};
use gitops::{Layout, document};
use serde_json::{Value, json};

use crate::{
    cli::{Apply, Global},
    client::Client,
    output::{Column, column, table},
};

const DONE: [Column; 2] = [column("what", "/what"), column("state", "/state")];

/// Parents before children.
fn rank(entity: &Entity) -> u8 {
    match entity {
        Entity::Gateway(_) => 0,
        Entity::Tenant(_) => 1,
        _ => 2,
    }
}

pub(super) async fn run(global: &Global, arguments: &Apply) -> anyhow::Result<()> {
    let mut found = Vec::new();
    for path in &arguments.file {
        collect(path, &mut found)?;
    }
    if found.is_empty() {
        bail!("there is no tenant, API or gateway in these files");
    }
    found.sort_by_key(|(entity, _)| rank(entity));
    let client = Client::connect(global).await?;
    let mut rows = Vec::new();
    for (entity, file) in &found {
        let state = match entity {
            Entity::Tenant(tenant) => apply_tenant(&client, tenant).await,
            Entity::Api(api) => apply_api(&client, api, file).await,
            Entity::Gateway(gateway) => apply_gateway(&client, gateway).await,
            _ => Ok("left out"),
        };
        let what = entity.path().to_string();
        let state = state.with_context(|| format!("applying `{what}`"))?;
        rows.push(json!({ "what": what, "state": state }));
    }
    global.output.write(&rows, || table(&DONE, &rows))
}

/// The entities in a file, or in the files of a folder.
fn collect(path: &Path, found: &mut Vec<(Entity, PathBuf)>) -> anyhow::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path).with_context(|| format!("reading `{}`", path.display()))? {
            let entry = entry?;
            if entry.file_name() != ".git" {
                collect(&entry.path(), found)?;
            }
        }
        return Ok(());
    }
    let Some(place) = place(path) else { return Ok(()) };
    let content = fs::read(path).with_context(|| format!("reading `{}`", path.display()))?;
    let document = document::parse(&place, &content)?;
    if matches!(document.entity, Entity::Tenant(_) | Entity::Api(_) | Entity::Gateway(_)) {
        found.push((document.entity, path.to_owned()));
    }
    Ok(())
}

/// The path in the repository: the part of the file's path that fits the layout.
fn place(path: &Path) -> Option<String> {
    let absolute = std::path::absolute(path).ok()?;
    let parts: Vec<String> =
        absolute.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let start = parts.iter().rposition(|part| part == "tenants" || part == "environments").map(|at| {
        // `tenants/acme/environments/dev.yaml` begins with its tenant.
        if at >= 2 && parts[at - 2] == "tenants" { at - 2 } else { at }
    })?;
    let relative = parts[start..].join("/");
    match Layout::place(&relative) {
        Ok(Some(place)) => matches!(place.slot, gitops::layout::Slot::Entity(_)).then_some(relative),
        _ => None,
    }
}

async fn apply_tenant(client: &Client, tenant: &Tenant) -> anyhow::Result<&'static str> {
    let body = json!({
        "name": tenant.name,
        "display_name": tenant.display_name,
        "description": tenant.description,
        "owner_email": tenant.contact.email,
        "environments": tenant.environments,
        "tags": tenant.tags,
    });
    let one = client.at(&["v1", "tenants", tenant.name.as_str()]);
    create_or_change(client, &client.at(&["v1", "tenants"]), &one, body).await
}

async fn apply_api(client: &Client, api: &Api, file: &Path) -> anyhow::Result<&'static str> {
    let openapi = ["openapi.yaml", "openapi.yml", "openapi.json"]
        .iter()
        .map(|name| file.with_file_name(name))
        .find(|path| path.is_file())
        .with_context(|| format!("there is no OpenAPI document beside `{}`", file.display()))?;
    let text = fs::read_to_string(&openapi).with_context(|| format!("reading `{}`", openapi.display()))?;
    let authentication = match &api.authentication {
        Authentication::None => json!({ "type": "none" }),
        Authentication::OAuth2 { scopes } => json!({ "type": "oauth2", "scopes": scopes }),
    };
    let body = json!({
        "name": api.name,
        "display_name": api.display_name,
        "version": api.version,
        "description": api.description,
        "category": api.category,
        "tags": api.tags,
        "backend_url": api.backend.url,
        "authentication": authentication,
        "tools": api.gateway.tools,
        "openapi": text,
    });
    let all = ["v1", "tenants", api.tenant.as_str(), "apis"];
    let one = ["v1", "tenants", api.tenant.as_str(), "apis", api.name.as_str()];
    create_or_change(client, &client.at(&all), &client.at(&one), body).await
}

async fn apply_gateway(client: &Client, gateway: &Gateway) -> anyhow::Result<&'static str> {
    let kind = match gateway.kind {
        GatewayKind::Builtin => "builtin",
        GatewayKind::WebMethods(_) => bail!("a webMethods gateway is declared in Git"),
    };
    let body = json!({
        "display_name": gateway.display_name,
        "description": gateway.description,
        "type": kind,
        "address": gateway.address,
    });
    let parts = ["v1", "environments", gateway.environment.as_str(), "gateways", gateway.name.as_str()];
    let url = client.at(&parts);
    let found = client.find(&url).await?;
    client.put(&url, &body, found.as_ref().and_then(|answer| answer.etag.as_deref())).await?;
    Ok(if found.is_some() { "changed" } else { "created" })
}

async fn create_or_change(
    client: &Client,
    all: &str,
    one: &str,
    mut body: Value,
) -> anyhow::Result<&'static str> {
    match client.find(one).await? {
        None => {
            client.post(all, &body).await?;
            Ok("created")
        }
        Some(found) => {
            // A name is given once.
            if let Some(fields) = body.as_object_mut() {
                fields.remove("name");
            }
            client.put(one, &body, found.etag.as_deref()).await?;
            Ok("changed")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_the_end_of_its_path() {
        let known = |path: &str| place(Path::new(path));
        assert_eq!(
            known("/home/ada/repo/tenants/acme/apis/pets/api.yaml").as_deref(),
            Some("tenants/acme/apis/pets/api.yaml")
        );
        assert_eq!(
            known("/home/ada/tenants/tenants/acme/environments/dev.yaml").as_deref(),
            Some("tenants/acme/environments/dev.yaml")
        );
        assert_eq!(known("/home/ada/repo/tenants/acme/apis/pets/openapi.yaml"), None);
        assert_eq!(known("/home/ada/notes.yaml"), None);
    }
}
