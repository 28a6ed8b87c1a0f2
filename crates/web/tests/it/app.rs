//! A service of a few routes, and a client for it.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpResponse, get, post,
    web::{Data, Path, ServiceConfig},
};
use domain::name::GatewayName;
use reqwest::{Client, Response};
use runtime::{
    Gate, HttpSettings, Lifecycle, Metrics, Readiness, http_client,
    testing::{FixedClock, FixedRandom},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;
use web::{
    Authenticated, Authorized, AuthorizedAnywhere, BodyLimit, Json, Kind, Parts, Problem, Query, Raw, Server,
    Settings,
    permission::{ApisCreate, ApisRead, TenantsCreate},
    testing::Issuer,
};

/// The audience of the service's tokens.
pub(crate) const AUDIENCE: &str = "control-plane-api";

/// A running service with its issuer.
pub(crate) struct App {
    pub(crate) lifecycle: Lifecycle,
    pub(crate) issuer: Issuer,
    pub(crate) gate: Gate,
    pub(crate) held: Arc<Held>,
    address: String,
    client: Client,
}

/// A request that waits until the test lets it go.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) arrived: Notify,
    pub(crate) released: Notify,
}

impl App {
    pub(crate) fn start() -> Self {
        Self::start_with(|settings| settings)
    }

    pub(crate) fn start_with(change: impl FnOnce(Settings) -> Settings) -> Self {
        let lifecycle = Lifecycle::manual();
        let clock = Arc::new(FixedClock::default());
        let issuer = Issuer::start(&lifecycle, clock.clone());
        let verifier = issuer.verifier(&lifecycle, AUDIENCE);
        let readiness = Readiness::new(lifecycle.stopping());
        let gate = readiness.gate("catalogue");
        let held = Arc::new(Held::default());
        let parts = Parts {
            service: AUDIENCE,
            readiness,
            metrics: Metrics::new(AUDIENCE),
            clock,
            random: Arc::new(FixedRandom::new(7)),
        };
        let settings = change(Settings { workers: 1, ..Settings::loopback(0) });
        let shared = Arc::clone(&held);
        let server = Server::bind(&settings, parts, move |config| {
            config
                .app_data(Data::new(verifier.clone()))
                .app_data(Data::from(Arc::clone(&shared)))
                .configure(routes);
        })
        .unwrap();
        let address = format!("http://{}", server.address());
        lifecycle.spawn("http", server.run(lifecycle.stopping()));
        let client = http_client(&HttpSettings::default()).unwrap();
        Self { lifecycle, issuer, gate, held, address, client }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        Answer::of(self.request(path, token).send().await.unwrap()).await
    }

    pub(crate) fn request(&self, path: &str, token: &str) -> reqwest::RequestBuilder {
        let request = self.client.get(format!("{}{path}", self.address));
        if token.is_empty() { request } else { request.bearer_auth(token) }
    }

    pub(crate) async fn post(&self, path: &str, form: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request =
            self.client.post(format!("{}{path}", self.address)).header("content-type", form).body(body);
        Answer::of(request.send().await.unwrap()).await
    }
}

/// An answer, read whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn routes(config: &mut ServiceConfig) {
    config
        .service(whoami)
        .service(read)
        .service(create)
        .service(anywhere)
        .service(everywhere)
        .service(echo)
        .service(
            actix_web::web::resource("/large")
                .app_data(BodyLimit(4 << 20))
                .route(actix_web::web::post().to(size)),
        )
        .service(query)
        .service(gateway)
        .service(panics)
        .service(hangs)
        .service(hold);
}

#[get("/v1/whoami")]
async fn whoami(caller: Authenticated) -> String {
    caller.principal().username.clone()
}

#[get("/v1/tenants/{tenant}/apis")]
async fn read(caller: Authorized<ApisRead>) -> String {
    caller.tenant().unwrap().to_string()
}

#[post("/v1/tenants/{tenant}/apis")]
async fn create(_: Authorized<ApisCreate>, _: Path<String>) -> HttpResponse {
    HttpResponse::Created().finish()
}

#[get("/v1/environments")]
async fn anywhere(_: AuthorizedAnywhere<ApisRead>) -> &'static str {
    "dev"
}

#[get("/v1/everything")]
async fn everywhere(_: Authorized<TenantsCreate>) -> &'static str {
    "all"
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Pet {
    name: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize, Serialize)]
struct Tag {
    id: u32,
}

#[post("/echo")]
async fn echo(Json(pet): Json<Pet>) -> HttpResponse {
    HttpResponse::Ok().json(pet)
}

async fn size(Raw(body): Raw) -> HttpResponse {
    HttpResponse::Ok().json(json!(body.len()))
}

#[derive(Deserialize)]
struct Page {
    limit: u32,
}

#[get("/query")]
async fn query(Query(page): Query<Page>) -> String {
    page.limit.to_string()
}

#[get("/v1/gateways/{gateway}")]
async fn gateway(name: Path<GatewayName>) -> String {
    name.to_string()
}

#[get("/panics")]
async fn panics() -> HttpResponse {
    let index = std::hint::black_box(3);
    HttpResponse::Ok().body(["secret"; 2][index])
}

#[get("/hangs")]
async fn hangs() -> HttpResponse {
    std::future::pending::<()>().await;
    HttpResponse::Ok().finish()
}

#[get("/held")]
async fn hold(held: Data<Held>) -> Result<&'static str, Problem> {
    held.arrived.notify_one();
    tokio::time::timeout(Duration::from_secs(20), held.released.notified())
        .await
        .map_err(|_| Problem::new(Kind::Timeout, "never released"))?;
    Ok("finished")
}
