//! The control plane's REST API.

use anyhow::{Context as _, bail};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client as Http, Method, Response, StatusCode};
use serde_json::Value;
use url::Url;

use crate::{cli::Global, connection::Connection, session};

/// What of a name stands in a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// A signed-in caller.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: Http,
    base: Url,
    token: String,
}

/// An answer with what its headers say.
#[derive(Debug)]
pub(crate) struct Answer {
    pub body: Value,
    pub etag: Option<String>,
}

/// What was refused, as RFC 9457 says it.
#[derive(Debug, thiserror::Error)]
#[error("{title}{}{}", sep(detail), detail)]
pub(crate) struct Refusal {
    pub status: StatusCode,
    pub title: String,
    pub detail: String,
}

fn sep(detail: &str) -> &'static str {
    if detail.is_empty() { "" } else { ": " }
}

impl Client {
    /// The control plane that is meant, as who signed in.
    pub(crate) async fn connect(global: &Global) -> anyhow::Result<Self> {
        let (base, token) = session::access(global).await?;
        Ok(Self { http: session::http()?, base, token })
    }

    /// The control plane of a platform with development tokens, as its first user.
    pub(crate) async fn of_development(here: &Connection) -> anyhow::Result<Self> {
        let token = session::development(&here.issuer, &here.user).await?;
        Ok(Self { http: session::http()?, base: here.api.clone(), token })
    }

    /// The resource at these parts of a path.
    pub(crate) fn at(&self, parts: &[&str]) -> String {
        let mut path = self.base.as_str().trim_end_matches('/').to_owned();
        for part in parts {
            path.push('/');
            path.extend(utf8_percent_encode(part, PLAIN));
        }
        path
    }

    pub(crate) async fn get(&self, url: &str) -> anyhow::Result<Value> {
        Ok(self.send(Method::GET, url, None, None).await?.body)
    }

    /// The resource, or nothing where there is none.
    pub(crate) async fn find(&self, url: &str) -> anyhow::Result<Option<Answer>> {
        match self.send(Method::GET, url, None, None).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => match error.downcast_ref::<Refusal>() {
                Some(refusal) if refusal.status == StatusCode::NOT_FOUND => Ok(None),
                _ => Err(error),
            },
        }
    }

    pub(crate) async fn post(&self, url: &str, body: &Value) -> anyhow::Result<Value> {
        Ok(self.send(Method::POST, url, Some(body), None).await?.body)
    }

    /// Changes what is as `etag` says.
    pub(crate) async fn put(&self, url: &str, body: &Value, etag: Option<&str>) -> anyhow::Result<Answer> {
        self.send(Method::PUT, url, Some(body), etag).await
    }

    /// Everything of a list, page after page.
    pub(crate) async fn list(&self, url: &str) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut page = Url::parse(url).with_context(|| format!("`{url}` is no address"))?;
            if let Some(cursor) = &cursor {
                page.query_pairs_mut().append_pair("cursor", cursor);
            }
            let mut body = self.get(page.as_str()).await?;
            match body.get_mut("items").map(Value::take) {
                Some(Value::Array(found)) => items.extend(found),
                _ => bail!("`{url}` answered with no list"),
            }
            cursor = body.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
            if cursor.is_none() {
                return Ok(items);
            }
        }
    }

    /// The body as it comes, for documents.
    pub(crate) async fn text(&self, url: &str) -> anyhow::Result<String> {
        let answer = self.ask(Method::GET, url, None, None).await?;
        checked(answer).await?.text().await.context("reading the answer")
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        body: Option<&Value>,
        etag: Option<&str>,
    ) -> anyhow::Result<Answer> {
        let answer = checked(self.ask(method, url, body, etag).await?).await?;
        let etag = answer.headers().get("etag").and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let bytes = answer.bytes().await.context("reading the answer")?;
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).context("the answer is no JSON")?
        };
        Ok(Answer { body, etag })
    }

    async fn ask(
        &self,
        method: Method,
        url: &str,
        body: Option<&Value>,
        etag: Option<&str>,
    ) -> anyhow::Result<Response> {
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            // What comes next may build on this, so the write is to be in effect.
            request = request.json(body).header("prefer", "wait=10");
        }
        if let Some(etag) = etag {
            request = request.header("if-match", etag);
        }
        request.send().await.with_context(|| format!("asking `{url}`; is the platform running?"))
    }
}

async fn checked(answer: Response) -> anyhow::Result<Response> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let problem: Value = answer.json().await.unwrap_or_default();
    let text = |name: &str| problem.get(name).and_then(Value::as_str).map(str::to_owned);
    let title = text("title").unwrap_or_else(|| status.to_string());
    Err(Refusal { status, title, detail: text("detail").unwrap_or_default() }.into())
}
