//! A gateway with a backend and a token issuer, all on loopback.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Path, ServiceConfig, get, post, to},
};
use domain::id::{CommitId, Digest, Epoch, Generation, Revision};
use events::{Authentication, Document, Envelope, GatewayAck, GatewayRoute, Policies, Upstream};
use futures_util::stream;
use mcp_gateway::{Catalogue, Gateway, Identity, McpSettings};
use reqwest::{Client, Method, RequestBuilder, Response};
use runtime::{HttpSettings, Lifecycle, Metrics, Readiness, SystemRandom, http_client, testing::FixedClock};
use serde_json::{Value, json};
use uuid::Uuid;
use web::{Parts, Server, Settings, testing::Issuer};

pub(crate) const MODERN: &str = "2026-07-28";

/// Everything that a test needs; ends when it is dropped.
pub(crate) struct World {
    pub(crate) gateway: Gateway,
    pub(crate) issuer: Issuer,
    pub(crate) client: Client,
    pub(crate) address: SocketAddr,
    pub(crate) backend: SocketAddr,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) metrics: Metrics,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let (status, headers) = (response.status().as_u16(), headers.collect());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// The document of the pet store that the backend plays.
pub(crate) const PETS: &str = r"
openapi: 3.1.0
info: {title: Pets, version: '1'}
paths:
  /pets:
    get:
      operationId: list
      summary: Lists pets
      responses:
        '200':
          description: ok
          content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}
    post:
      operationId: create
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
      responses: {'201': {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
  /pets/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      operationId: read
      parameters:
        - {name: X-Note, in: header, schema: {type: string}}
        - {name: fields, in: query, schema: {type: array, items: {type: string}}}
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
    delete: {operationId: delete, responses: {'204': {description: gone}}}
  /pets/{id}/photo:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: photo, responses: {'200': {description: ok, content: {image/png: {}}}}}
  /slow: {get: {operationId: slow, responses: {'200': {description: ok}}}}
  /big: {get: {operationId: big, responses: {'200': {description: ok}}}}
  /busy: {get: {operationId: busy, responses: {'503': {description: busy}}}}
components:
  schemas:
    Pet:
      type: object
      required: [name]
      properties: {id: {type: string, readOnly: true}, name: {type: string, minLength: 1}, friend: {$ref: '#/components/schemas/Pet'}}
";

impl World {
    /// A gateway without routes.
    pub(crate) fn new() -> Self {
        Self::with(McpSettings::default(), Catalogue::default())
    }

    /// A gateway that serves the pet store of tenant `acme`.
    pub(crate) fn with_pets() -> Self {
        let world = Self::new();
        world.deploy(&world.route("acme", "pets", 1));
        world
    }

    pub(crate) fn with(mcp: McpSettings, catalogue: Catalogue) -> Self {
        Self::sized(1, mcp, catalogue)
    }

    /// A gateway without routes, with so many workers.
    pub(crate) fn sized(workers: usize, mcp: McpSettings, catalogue: Catalogue) -> Self {
        let lifecycle = Lifecycle::manual();
        let clock = Arc::new(FixedClock::default());
        let issuer = Issuer::start(&lifecycle, clock.clone());
        let backend = serve(&lifecycle, "backend", 1, Metrics::new("backend"), backend);
        let metrics = Metrics::new("mcp-gateway");
        let identity = Identity {
            environment: "dev".parse().unwrap(),
            replica: "one".to_owned(),
            started_at: "2026-03-01T12:00:00Z".parse().unwrap(),
            issuer: issuer.issuer().to_owned(),
            on_loopback: true,
        };
        let verifier = issuer.verifier(&lifecycle, "mcp-gateway");
        let http = HttpSettings::default();
        let gateway = Gateway::new(
            identity,
            mcp,
            workers,
            &http,
            verifier,
            catalogue,
            &metrics,
            clock,
            lifecycle.stopping(),
        )
        .unwrap();
        let served = gateway.clone();
        let address = serve(&lifecycle, "mcp-gateway", workers, metrics.clone(), move |config| {
            served.configure(config);
        });
        let client = http_client(&HttpSettings { unpack: false, ..http }).unwrap();
        Self { gateway, issuer, client, address, backend, lifecycle, metrics }
    }

    /// A route to the backend.
    pub(crate) fn route(&self, tenant: &str, api: &str, revision: i64) -> GatewayRoute {
        GatewayRoute {
            tenant: tenant.parse().unwrap(),
            api: api.parse().unwrap(),
            environment: "dev".parse().unwrap(),
            generation: Generation { epoch: Epoch(1), revision: Revision(revision) },
            order_id: Uuid::from_u128(1),
            commit: CommitId::try_from("0".repeat(40)).unwrap(),
            digest: Digest::of(b""),
            uid: Uuid::from_u128(2),
            version: "1".to_owned(),
            display_name: api.to_owned(),
            description: String::new(),
            document: Document::pack(PETS.as_bytes(), "application/yaml").unwrap(),
            upstream: Upstream { url: format!("http://{}/base", self.backend), timeout_ms: 2_000 },
            authentication: Authentication::Oauth2,
            scopes: Vec::new(),
            policies: Policies { requests_per_minute: None, burst: None },
        }
    }

    pub(crate) fn deploy(&self, route: &GatewayRoute) -> Vec<GatewayAck> {
        let key = format!("{}/{}/{}", route.tenant, route.api, route.environment);
        self.gateway.apply(vec![(key, Some(Arc::new(envelope(route.clone()))))])
    }

    pub(crate) fn undeploy(&self, key: &str) -> Vec<GatewayAck> {
        self.gateway.apply(vec![(key.to_owned(), None)])
    }

    /// A token of somebody in `tenant`.
    pub(crate) fn token(&self, tenant: &str) -> String {
        self.issuer.person("mcp-gateway", "ada", tenant, &["viewer"])
    }

    pub(crate) fn administrator(&self) -> String {
        self.issuer.person("mcp-gateway", "root", "stoa", &["cpi-admin"])
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn request(&self, method: Method, path: &str, token: Option<&str>) -> RequestBuilder {
        let request = self.client.request(method, self.url(path));
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        Answer::of(self.request(Method::GET, path, token).send().await.unwrap()).await
    }

    /// A POST to `/mcp` with headers.
    pub(crate) async fn post(&self, token: Option<&str>, headers: &[(&str, &str)], body: &Value) -> Answer {
        let request = self.request(Method::POST, "/mcp", token).json(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Answer::of(request.send().await.unwrap()).await
    }

    /// The result of a legacy request.
    pub(crate) async fn legacy(&self, token: &str, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = self.post(Some(token), &[("mcp-protocol-version", "2025-11-25")], &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let mut answer = answer.json();
        assert!(answer.get("result").is_some(), "{answer}");
        answer["result"].take()
    }

    /// The answer to a modern request.
    pub(crate) async fn modern(&self, token: Option<&str>, method: &str, params: Value) -> Answer {
        let name = params["name"].as_str().unwrap_or_default().to_owned();
        let mut headers = vec![("mcp-protocol-version", MODERN), ("mcp-method", method)];
        if !name.is_empty() {
            headers.push(("mcp-name", name.as_str()));
        }
        self.post(token, &headers, &modern(method, params)).await
    }
}

/// A modern message that says everything that it must.
pub(crate) fn modern(method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
    });
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

pub(crate) fn envelope<E>(event: E) -> Envelope<E> {
    let time = "2026-03-01T12:00:00Z".parse().unwrap();
    Envelope { id: Uuid::from_u128(9), source: "/stoa/test".to_owned(), time, event }
}

fn serve<F>(
    lifecycle: &Lifecycle,
    service: &'static str,
    workers: usize,
    metrics: Metrics,
    configure: F,
) -> SocketAddr
where
    F: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    let parts = Parts {
        service,
        readiness: Readiness::new(lifecycle.stopping()),
        metrics,
        clock: Arc::new(FixedClock::default()),
        random: Arc::new(SystemRandom::default()),
    };
    let settings = Settings { workers, stop: Duration::from_secs(1), ..Settings::loopback(0) };
    let server = Server::bind(&settings, parts, configure).unwrap();
    let address = server.address();
    lifecycle.spawn(service, server.run(lifecycle.stopping()));
    address
}

fn backend(config: &mut ServiceConfig) {
    config
        .route("/base/pets", get().to(list))
        .route("/base/pets", post().to(create))
        .route("/base/pets/{id}", get().to(read))
        .route("/base/pets/{id}/photo", get().to(photo))
        .route("/base/slow", get().to(slow))
        .route("/base/big", get().to(big))
        .route("/base/busy", get().to(busy))
        .route("/base/chunks", get().to(chunks))
        .route("/base/moved", get().to(moved))
        .route("/base/echo{tail:.*}", to(echo));
}

async fn list() -> HttpResponse {
    HttpResponse::Ok().json(json!([{ "id": "1", "name": "Rex" }]))
}

async fn create(body: Bytes) -> HttpResponse {
    let mut pet: Value = serde_json::from_slice(&body).unwrap();
    pet["id"] = json!("7");
    HttpResponse::Created().json(pet)
}

async fn read(request: HttpRequest, id: Path<String>) -> HttpResponse {
    if id.as_str() == "0" {
        return HttpResponse::NotFound()
            .content_type("application/problem+json")
            .body(r#"{"title":"no such pet"}"#);
    }
    let header =
        |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    HttpResponse::Ok().json(json!({
        "id": id.as_str(), "name": "Rex", "path": request.uri().path(), "query": request.uri().query(),
        "note": header("x-note"), "authorization": header("authorization"), "accept": header("accept"),
    }))
}

async fn photo() -> HttpResponse {
    HttpResponse::Ok().content_type("image/png").body(vec![137u8, 80])
}

async fn slow() -> HttpResponse {
    tokio::time::sleep(Duration::from_secs(20)).await;
    HttpResponse::Ok().finish()
}

async fn big() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("x".repeat(3 << 20))
}

async fn busy() -> HttpResponse {
    HttpResponse::ServiceUnavailable().insert_header(("retry-after", "7")).body("later")
}

async fn chunks() -> HttpResponse {
    let chunks =
        ["one ", "two ", "three"].map(|text| Ok::<_, std::io::Error>(Bytes::from_static(text.as_bytes())));
    HttpResponse::Ok().content_type("text/plain").streaming(stream::iter(chunks))
}

async fn moved(request: HttpRequest) -> HttpResponse {
    let host = request.connection_info().host().to_owned();
    HttpResponse::Found()
        .insert_header(("location", format!("http://{host}/base/pets?x=1")))
        .insert_header(("set-cookie", "session=1"))
        .insert_header(("x-own", "kept"))
        .finish()
}

async fn echo(request: HttpRequest, body: Bytes) -> HttpResponse {
    let headers = request.headers().iter();
    let headers: BTreeMap<_, _> = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    HttpResponse::build(StatusCode::OK).json(json!({
        "method": request.method().as_str(),
        "target": request.uri().to_string(),
        "headers": headers,
        "length": body.len(),
        "body": String::from_utf8_lossy(&body[..body.len().min(100)]),
    }))
}
