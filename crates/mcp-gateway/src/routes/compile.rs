//! A record of `gateway-routes` to what requests need.

use std::time::Duration;

use actix_web::http::header::HeaderValue;
use domain::{
    id::Generation,
    name::{ApiName, TenantName},
};
use events::{Authentication, DocumentError, GatewayRoute};
use openapi::{Limits, NAME_LENGTH, Tool, shorten};
use serde_json::{Value, json};
use url::Url;

/// How long a backend may take when the route doesn't say.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The longest that a route may ask for.
const LONGEST: Duration = Duration::from_mins(5);

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Anyone,
    Token,
}

/// The backend behind a route.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) url: Url,
    pub(crate) timeout: Duration,
    /// `tenant/api`, as metrics name it.
    pub(crate) label: String,
}

/// A tool as it is served, with its entry of the list in both eras.
#[derive(Debug)]
pub(crate) struct ServedTool {
    pub(crate) name: String,
    pub(crate) tool: Tool,
    pub(crate) legacy: Box<str>,
    pub(crate) modern: Box<str>,
}

/// One API as it is served.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) tenant: TenantName,
    pub(crate) api: ApiName,
    pub(crate) generation: Generation,
    /// The value of `stoa-generation`.
    pub(crate) stamp: HeaderValue,
    pub(crate) access: Access,
    pub(crate) scopes: Vec<String>,
    pub(crate) upstream: Upstream,
    pub(crate) tools: Vec<ServedTool>,
}

/// Why a route is not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("generation {offered} is older than {served}, which is served")]
    Older { offered: Generation, served: Generation },
    #[error("this version of the gateway does not know how callers of the API prove who they are")]
    Authentication,
    #[error("`{url}` is not the address of a backend")]
    Upstream { url: String },
    #[error("the document did not arrive whole: {0}")]
    Document(#[from] DocumentError),
    #[error("the document is not usable: {0}")]
    OpenApi(#[from] openapi::Error),
}

/// Compiles a route; takes long for large documents, so never call it where requests are answered.
pub(crate) fn compile(record: &GatewayRoute) -> Result<Route, Refusal> {
    let access = match record.authentication {
        Authentication::None => Access::Anyone,
        Authentication::Oauth2 => Access::Token,
        Authentication::Unknown => return Err(Refusal::Authentication),
    };
    let document = openapi::Document::parse(&record.document.unpack()?, &Limits::default())?;
    let tools = document.tools().into_iter().map(|tool| served(record, tool)).collect();
    let stamp = HeaderValue::from_str(&record.generation.to_string());
    Ok(Route {
        tenant: record.tenant.clone(),
        api: record.api.clone(),
        generation: record.generation,
        // Digits and a point are a legal header value.
        stamp: stamp.unwrap_or_else(|_| HeaderValue::from_static("")),
        access,
        scopes: record.scopes.clone(),
        upstream: Upstream {
            url: backend(&record.upstream.url)?,
            timeout: timeout(record.upstream.timeout_ms),
            label: format!("{}/{}", record.tenant, record.api),
        },
        tools,
    })
}

fn backend(text: &str) -> Result<Url, Refusal> {
    let refusal = || Refusal::Upstream { url: text.chars().take(200).collect() };
    let url = Url::parse(text).map_err(|_| refusal())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let usable = matches!(url.scheme(), "http" | "https") && url.host_str().is_some() && plain;
    if usable { Ok(url) } else { Err(refusal()) }
}

fn timeout(millis: i64) -> Duration {
    match u64::try_from(millis) {
        Ok(millis) if millis > 0 => Duration::from_millis(millis).min(LONGEST),
        _ => TIMEOUT,
    }
}

fn served(record: &GatewayRoute, tool: Tool) -> ServedTool {
    let name = shorten(&format!("{}--{}--{}", record.tenant, record.api, tool.name), NAME_LENGTH);
    let legacy = entry(&name, &tool, tool.wrapped_output_schema());
    let modern = entry(&name, &tool, tool.output_schema.clone());
    ServedTool { name, tool, legacy, modern }
}

/// The entry of a tool in `tools/list`.
fn entry(name: &str, tool: &Tool, output_schema: Option<Value>) -> Box<str> {
    let mut entry = json!({
        "name": name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": tool.input_schema,
        "annotations": {
            "title": tool.title,
            "readOnlyHint": tool.annotations.read_only,
            "destructiveHint": tool.annotations.destructive,
            "idempotentHint": tool.annotations.idempotent,
            "openWorldHint": true,
        },
    });
    if let Some(schema) = output_schema {
        entry["outputSchema"] = schema;
    }
    entry.to_string().into()
}
