//! Somebody who works with a platform.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use devstack::issuer::DEVELOPMENT_GRANT;
use event_bus::Bus;
use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use rmcp::{
    RoleClient, ServiceExt as _,
    service::{ClientLifecycleMode, ClientServiceExt as _, RunningService},
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use runtime::{HttpSettings, Metrics, SystemClock, http_client};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{
    checkout::Checkout,
    harness::Connection,
    waiting::{eventually, within},
};

/// Clients of one test; they end with its runtime, so no two tests share them.
pub(crate) struct Session {
    pub(crate) data: PathBuf,
    pub(crate) connection: Connection,
    pub(crate) http: Client,
    pub(crate) bus: Bus,
    tokens: Mutex<BTreeMap<String, String>>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body, if the answer has this status.
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// The whole body of a problem, but for the id of its trace, which is drawn.
    pub(crate) fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let mut body = self.json();
        body.as_object_mut().unwrap().remove("trace_id");
        body
    }
}

impl Session {
    pub(crate) async fn open(data: &Path, connection: Connection) -> Self {
        let settings = event_bus::Settings::local(&connection.kafka, connection.registry.clone());
        let clock = Arc::new(SystemClock);
        let bus = Bus::connect(settings, "platform-tests", clock, &Metrics::new("tests")).await.unwrap();
        let settings = HttpSettings { timeout: Duration::from_mins(1), ..HttpSettings::default() };
        let http = http_client(&settings).unwrap();
        Self { data: data.to_owned(), connection, http, bus, tokens: Mutex::default() }
    }

    /// A token of `user`, which is a word that stays good for the whole run.
    pub(crate) async fn token(&self, user: &str) -> String {
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(user) {
            return token.clone();
        }
        let url = self.connection.issuer.join("token").unwrap();
        let form = [("grant_type", DEVELOPMENT_GRANT), ("username", user)];
        let answer: Value = self.http.post(url).form(&form).send().await.unwrap().json().await.unwrap();
        let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        tokens.insert(user.to_owned(), token.clone());
        token
    }

    /// A request of `user` to the control plane.
    pub(crate) async fn api(&self, user: &str, method: Method, path: &str) -> RequestBuilder {
        let url = self.connection.api.join(path).unwrap();
        self.http.request(method, url).bearer_auth(self.token(user).await)
    }

    pub(crate) async fn get(&self, user: &str, path: &str) -> Answer {
        answer(self.api(user, Method::GET, path).await).await
    }

    /// The answer comes when the relay has reached the commit.
    pub(crate) async fn post(&self, user: &str, path: &str, body: &Value) -> Answer {
        answer(self.api(user, Method::POST, path).await.header("prefer", "wait=20").json(body)).await
    }

    /// Every item of a list.
    pub(crate) async fn list(&self, user: &str, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let more = if path.contains('?') { '&' } else { '?' };
            let cursor_part = cursor.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let page = self.get(user, &format!("{path}{more}limit=200{cursor_part}")).await.expect(200);
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return items,
            }
        }
    }

    /// What the gateway answers `user`.
    pub(crate) async fn call(&self, user: &str, path: &str) -> Answer {
        self.try_call(user, path).await.expect("the gateway answers")
    }

    /// What the gateway answers, if it does.
    pub(crate) async fn try_call(&self, user: &str, path: &str) -> Option<Answer> {
        let url = self.connection.gateway.join(path).unwrap();
        try_answer(self.http.get(url).bearer_auth(self.token(user).await)).await
    }

    /// Waits until the API is served from the backend's part `base`.
    pub(crate) async fn served(&self, tenant: &str, api: &str, base: &str) {
        let wanted = format!("/{base}/hello");
        within(Duration::from_secs(90), &format!("{tenant}/{api} is served from {base}"), async || {
            let answer = self.try_call("admin", &format!("/apis/{tenant}/{api}/hello")).await?;
            (answer.status == 200 && answer.json()["path"] == wanted.as_str()).then_some(())
        })
        .await;
    }

    /// Waits until the gateway does not know the API.
    pub(crate) async fn gone(&self, tenant: &str, api: &str) {
        eventually(&format!("{tenant}/{api} is gone"), async || {
            let answer = self.try_call("admin", &format!("/apis/{tenant}/{api}/hello")).await?;
            (answer.status == 404 && answer.header("stoa-generation").is_empty()).then_some(())
        })
        .await;
    }

    /// Waits until the control plane stands at this commit or a later one.
    pub(crate) async fn reached(&self, commit: &str) {
        eventually(&format!("commit {commit} is relayed"), async || {
            let request = self.api("admin", Method::GET, "/v1/tenants?limit=1").await;
            let request = request.header("stoa-wait-for", commit).header("prefer", "wait=25");
            (try_answer(request).await?.status == 200).then_some(())
        })
        .await;
    }

    /// A clone of the repository.
    pub(crate) fn checkout(&self) -> Checkout {
        Checkout::of(&self.connection.git)
    }

    /// A stock MCP client of `user`, of the era with a handshake or of the one without.
    pub(crate) async fn agent(&self, user: &str, era: Era) -> RunningService<RoleClient, ()> {
        let url = self.connection.gateway.join("mcp").unwrap();
        let config =
            StreamableHttpClientTransportConfig::with_uri(url.as_str()).auth_header(self.token(user).await);
        let transport = StreamableHttpClientTransport::with_client(self.http.clone(), config);
        match era {
            Era::Handshake => ().serve(transport).await.unwrap(),
            Era::Stateless => {
                let preferred_versions = vec![rmcp::model::ProtocolVersion::V_2026_07_28];
                let lifecycle = ClientLifecycleMode::Discover { preferred_versions };
                ().serve_with_lifecycle(transport, lifecycle).await.unwrap()
            }
        }
    }

    /// The names of the tools that `user` sees and that start with `prefix`.
    pub(crate) async fn tools(&self, user: &str, prefix: &str) -> Vec<String> {
        let agent = self.agent(user, Era::Handshake).await;
        let tools = agent.list_all_tools().await.unwrap();
        agent.cancel().await.unwrap();
        let mut names: Vec<String> = tools.into_iter().map(|tool| tool.name.to_string()).collect();
        names.retain(|name| name.starts_with(prefix));
        names.sort();
        names
    }
}

/// Which of the protocol's two eras a client speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Era {
    Handshake,
    Stateless,
}

/// Sends a request, which must be answered.
pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    try_answer(request).await.expect("an answer")
}

/// Sends a request to somebody who may just have died.
pub(crate) async fn try_answer(request: RequestBuilder) -> Option<Answer> {
    let response = request.send().await.ok()?;
    let (status, headers) = (response.status(), response.headers().clone());
    Some(Answer { status, headers, text: response.text().await.ok()? })
}
