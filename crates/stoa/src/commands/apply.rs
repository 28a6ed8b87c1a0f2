//! Declare what files of the repository's layout say, through the REST API.
//!
//! Nothing is sent before every file is known to arrive whole: what the REST API cannot carry is committed to the
//! repository instead.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use domain::entity::{
    Api, Authentication, Backend, Contact, Content, Deployment, Entity, Gateway, GatewayKind, GatewayOptions,
    Policies, Quotas, Tenant,
};
use gitops::{Layout, document};
use serde_json::{Value, json};

use crate::{
    cli::{Apply, Global},
    client::Client,
    output::{Column, column, table},
};

const DONE: [Column; 2] = [column("what", "/what"), column("state", "/state")];

/// What is read from one file.
struct Found {
    entity: Entity,
    file: PathBuf,
}

pub(super) async fn run(global: &Global, arguments: &Apply) -> anyhow::Result<()> {
    let mut found = Vec::new();
    for path in &arguments.file {
        collect(path, &mut found)?;
    }
    if found.is_empty() {
        bail!("there are no documents of the repository's layout in these files");
    }
    // In the order of the paths, what is referred to comes first.
    found.sort_by_key(|found| found.entity.path());
    let bodies: Vec<(String, Request)> = found
        .iter()
        .map(|found| {
            let request = request(found).with_context(|| format!("`{}`", found.file.display()))?;
            Ok((found.entity.path().to_string(), request))
        })
        .collect::<anyhow::Result<_>>()?;
    let client = Client::connect(global).await?;
    let mut rows = Vec::new();
    for (what, request) in bodies {
        let state = request.send(&client).await.with_context(|| format!("applying `{what}`"))?;
        rows.push(json!({ "what": what, "state": state }));
    }
    global.output.write(&rows, || table(&DONE, &rows))
}

/// The entities in a file, or in the files of a folder.
fn collect(path: &Path, found: &mut Vec<Found>) -> anyhow::Result<()> {
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
    found.push(Found { entity: document.entity, file: path.to_owned() });
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

/// What is sent for an entity.
struct Request {
    /// The collection that takes a new one; none where a `PUT` also creates.
    all: Option<Vec<String>>,
    /// The entity itself; none where everything is asked of the collection.
    one: Option<Vec<String>>,
    body: Value,
}

impl Request {
    async fn send(self, client: &Client) -> anyhow::Result<&'static str> {
        let at = |parts: &Vec<String>| client.at(&parts.iter().map(String::as_str).collect::<Vec<_>>());
        let (all, one, mut body) = (self.all.as_ref().map(at), self.one.as_ref().map(at), self.body);
        let present = match &one {
            Some(one) => client.find(one).await?,
            None => None,
        };
        match (all, one, present) {
            (_, Some(one), Some(present)) => {
                // A name is given once.
                if let (Some(_), Some(fields)) = (&self.all, body.as_object_mut()) {
                    fields.remove("name");
                }
                let put = client.put(&one, &body, present.etag.as_deref()).await?;
                Ok(if put.etag == present.etag { "as it was" } else { "changed" })
            }
            (Some(all), None, _) => {
                let done = client.post(&all, &body).await?;
                Ok(if done["changed"] == true { "changed" } else { "as it was" })
            }
            (Some(all), Some(_), None) => {
                client.post(&all, &body).await?;
                Ok("created")
            }
            (None, Some(one), None) => {
                client.put(&one, &body, None).await?;
                Ok("created")
            }
            (None, None, _) => unreachable!("every request names a resource"),
        }
    }
}

/// What to send for what a file declares, all of it.
fn request(found: &Found) -> anyhow::Result<Request> {
    match &found.entity {
        Entity::Tenant(tenant) => of_tenant(tenant),
        Entity::Api(api) => of_api(api, &found.file),
        Entity::Gateway(gateway) => of_gateway(gateway),
        Entity::Deployment(deployment) => Ok(of_deployment(deployment)),
        other => bail!("{} documents are committed to the repository", other.path().kind()),
    }
}

fn path(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

fn of_tenant(tenant: &Tenant) -> anyhow::Result<Request> {
    let carried = Tenant {
        contact: Contact { email: tenant.contact.email.clone(), ..Contact::default() },
        quotas: Quotas::default(),
        producers: std::collections::BTreeMap::new(),
        ..tenant.clone()
    };
    if carried != *tenant {
        bail!("quotas, producers and all of the contact but its e-mail are committed to the repository");
    }
    let body = json!({
        "name": tenant.name,
        "display_name": tenant.display_name,
        "description": tenant.description,
        "owner_email": tenant.contact.email,
        "environments": tenant.environments,
        "tags": tenant.tags,
    });
    let one = path(&["v1", "tenants", tenant.name.as_str()]);
    Ok(Request { all: Some(path(&["v1", "tenants"])), one: Some(one), body })
}

fn of_api(api: &Api, file: &Path) -> anyhow::Result<Request> {
    let carried = Api {
        backend: Backend::at(api.backend.url.clone()),
        policies: Policies { rate_limit: api.policies.rate_limit.clone(), ..Policies::default() },
        gateway: GatewayOptions { tools: api.gateway.tools, ..GatewayOptions::default() },
        ..api.clone()
    };
    if carried != *api {
        bail!(
            "of backend, policies and gateway only `url`, `rateLimiting` and `tools` can be applied; commit it to \
             the repository"
        );
    }
    let limit = api.policies.rate_limit.as_ref().map(|limit| {
        let burst =
            limit.burst.as_ref().map(|burst| burst.literal().context("`burstLimit` holds a variable"));
        let minute = limit.requests_per_minute.literal().context("`requestsPerMinute` holds a variable");
        anyhow::Ok(json!({ "requests_per_minute": minute?, "burst": burst.transpose()? }))
    });
    let openapi = ["openapi.yaml", "openapi.yml", "openapi.json"]
        .iter()
        .map(|name| file.with_file_name(name))
        .find(|path| path.is_file())
        .context("there is no OpenAPI document beside it")?;
    let text = fs::read_to_string(&openapi).with_context(|| format!("reading `{}`", openapi.display()))?;
    let authentication = match &api.authentication {
        Authentication::None => json!({ "type": "none" }),
        Authentication::OAuth2 { scopes } => json!({ "type": "oauth2", "scopes": scopes }),
    };
    let mut body = json!({
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
    if let Some(limit) = limit.transpose()? {
        body["rate_limit"] = limit;
    }
    let all = path(&["v1", "tenants", api.tenant.as_str(), "apis"]);
    let one = [all.clone(), path(&[api.name.as_str()])].concat();
    Ok(Request { all: Some(all), one: Some(one), body })
}

fn of_gateway(gateway: &Gateway) -> anyhow::Result<Request> {
    let kind = match gateway.kind {
        GatewayKind::Builtin => "builtin",
        GatewayKind::WebMethods(_) => bail!("a webMethods gateway is committed to the repository"),
    };
    let body = json!({
        "display_name": gateway.display_name,
        "description": gateway.description,
        "type": kind,
        "address": gateway.address,
    });
    let one = path(&["v1", "environments", gateway.environment.as_str(), "gateways", gateway.name.as_str()]);
    Ok(Request { all: None, one: Some(one), body })
}

fn of_deployment(deployment: &Deployment) -> Request {
    let pin = match &deployment.content {
        Content::FollowHead => None,
        Content::Pin(commit) => Some(commit),
    };
    let body = json!({
        "api": deployment.api,
        "environment": deployment.environment,
        "gateways": deployment.gateways,
        "pin": pin,
        "state": deployment.state,
    });
    let all = path(&["v1", "tenants", deployment.tenant.as_str(), "deployments"]);
    Request { all: Some(all), one: None, body }
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

    #[test]
    fn what_would_not_arrive_whole_is_refused_before_anything_is_sent() {
        let request = |path: &str, text: &str| {
            let entity = document::parse(path, text.as_bytes()).unwrap().entity;
            request(&Found { entity, file: PathBuf::from(path) }).map(|request| request.body)
        };
        let header = |kind: &str, rest: &str| format!("apiVersion: stoa.io/v1\nkind: {kind}\n{rest}");
        for (path, text, expected) in [
            (
                "tenants/acme/tenant.yaml",
                header("Tenant", "metadata: {name: acme}\nspec: {quotas: {maxApis: 3}}"),
                "quotas, producers and all of the contact but its e-mail are committed to the repository",
            ),
            (
                "tenants/acme/apis/pets/api.yaml",
                header("API", "metadata: {name: pets}\nspec: {backend: {url: 'http://a', timeout: 5}}"),
                "of backend, policies and gateway only `url`, `rateLimiting` and `tools` can be applied; commit it \
                 to the repository",
            ),
            (
                "tenants/acme/users.yaml",
                header("Users", "spec: {users: []}"),
                "Users documents are committed to the repository",
            ),
        ] {
            assert_eq!(request(path, &text).unwrap_err().to_string(), expected);
        }
        let deployment = header("Deployment", "spec: {follow: head, gateways: [builtin]}");
        assert_eq!(
            request("tenants/acme/apis/pets/deployments/dev.yaml", &deployment).unwrap(),
            json!({
                "api": "pets", "environment": "dev", "gateways": ["builtin"], "pin": null, "state": "deployed"
            })
        );
    }
}
