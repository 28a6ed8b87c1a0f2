//! A control plane without a broker, for tests: a real store, a real remote in a folder, real tokens, and a relay
//! that goes when the test says so.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use actix_web::{
    App,
    body::to_bytes,
    http::{Method, StatusCode},
    test::{TestRequest, call_service, init_service},
};
use domain::id::CommitId;
use events::{AuditRecord, GitopsNudge, RequestOutcome};
use futures_util::future::BoxFuture;
use gitops::{Author, Files, Initial, Remote, Repository, Trailers, Writer};
use runtime::{
    Clock, Lifecycle, SystemClock,
    testing::{FixedClock, FixedRandom},
};
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, Semaphore, watch};
use uuid::Uuid;
use web::{cursor::Cursors, testing::Issuer};

use crate::{
    announce::Announce,
    commands::{self, Commands},
    desired::DesiredState,
    metrics::Metrics,
    requests::Door,
    routes::{self, State},
    store::Store,
    wake::Wake,
};

/// A small document that can be served.
pub(crate) const OPENAPI: &str = "openapi: 3.1.0\ninfo: {title: Pets, version: '1'}\npaths:\n  /pets:\n    get:\n      \
     operationId: listPets\n      responses: {'200': {description: ok}}\n";

/// What was announced.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) nudges: Vec<GitopsNudge>,
    pub(crate) audits: Vec<(Uuid, AuditRecord)>,
    pub(crate) outcomes: Vec<(Uuid, RequestOutcome)>,
}

/// Keeps what is announced.
#[derive(Debug, Default)]
pub(crate) struct Announced(watch::Sender<Said>);

impl Announced {
    /// What was announced, once it is as the test expects.
    pub(crate) async fn once(&self, expected: impl FnMut(&Said) -> bool) -> Said {
        self.0.subscribe().wait_for(expected).await.unwrap().clone()
    }

    /// What was announced so far.
    pub(crate) fn so_far(&self) -> Said {
        self.0.borrow().clone()
    }

    fn say(&self, say: impl FnOnce(&mut Said)) -> BoxFuture<'_, Result<(), event_bus::Error>> {
        self.0.send_modify(say);
        Box::pin(async { Ok(()) })
    }
}

impl Announce for Announced {
    fn nudge(&self, _: Uuid, nudge: GitopsNudge) -> BoxFuture<'_, Result<(), event_bus::Error>> {
        self.say(|said| said.nudges.push(nudge))
    }

    fn audit(&self, id: Uuid, record: AuditRecord) -> BoxFuture<'_, Result<(), event_bus::Error>> {
        self.say(|said| said.audits.push((id, record)))
    }

    fn outcome(&self, id: Uuid, outcome: RequestOutcome) -> BoxFuture<'_, Result<(), event_bus::Error>> {
        self.say(|said| said.outcomes.push((id, outcome)))
    }
}

/// One issuer for all tests, on a thread of its own: drawing a key takes a while.
static ISSUER: LazyLock<Issuer> = LazyLock::new(|| {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let lifecycle = Lifecycle::manual();
            send.send(Issuer::start(&lifecycle, Arc::new(SystemClock))).unwrap();
            std::future::pending::<()>().await;
        });
    });
    receive.recv().unwrap()
});

/// A control plane of one test.
pub(crate) struct Plane {
    pub(crate) state: State,
    pub(crate) announced: Arc<Announced>,
    pub(crate) clock: FixedClock,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) writer: Writer,
    _dir: tempfile::TempDir,
}

impl Plane {
    /// With the usual environments and plans, and the platform's own tenant.
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let remote = dir.path().join("remote.git");
        Repository::create_remote(&remote, "main").unwrap();
        let remote = Remote::at(remote.to_str().unwrap());
        let repository = Repository::open_or_create(remote, &dir.path().join("mirror.git")).unwrap();
        let writer = Writer::new(repository.clone(), Trailers::new(&vec![7; 32].into()));
        let url = format!("sqlite://{}?mode=rwc", dir.path().join("store.db").display());
        let store = Store::open(&url).await.unwrap();
        let lifecycle = Lifecycle::manual();
        let clock = FixedClock::default();
        let announced = Arc::new(Announced::default());
        let desired = DesiredState::new(repository.clone());
        let random: Arc<FixedRandom> = Arc::new(FixedRandom::new(1));
        let commands = Commands::new(commands::Parts {
            repository: repository.clone(),
            writer: writer.clone(),
            desired: desired.clone(),
            announce: announced.clone(),
            clock: Arc::new(clock.clone()),
            random: random.clone(),
            spawner: lifecycle.spawner(),
            name: "stoa-gitops".to_owned(),
            turn: Mutex::new(()),
        });
        let state = State {
            commands,
            desired,
            repository,
            store,
            announce: announced.clone(),
            wake: Wake::default(),
            verifier: ISSUER.verifier(&lifecycle, "control-plane-api"),
            cursors: Cursors::new(b"a key of tests"),
            clock: Arc::new(clock.clone()),
            random,
            spawner: lifecycle.spawner(),
            stopping: lifecycle.stopping(),
            streams: Arc::new(Semaphore::new(2)),
            metrics: Metrics::default(),
        };
        let plane = Self { state, announced, clock, lifecycle, writer, _dir: dir };
        let initial = Initial::usual("example.com", "http://127.0.0.1:8080", "root@example.com", Uuid::nil());
        plane.push(&initial.files());
        plane.relay();
        plane
    }

    /// With the tenant `acme`, which may deploy to `dev` and `staging`, and whose producer `ci` has `key`.
    pub(crate) async fn with_acme(key: Option<&str>) -> Self {
        let plane = Self::new().await;
        let producers = key.map(|key| {
            format!(
                "  producers:\n    ci:\n      keyId: ci-2026\n      publicKey: {key}\n      \
                 operations: [deploy, register-api, rollback, sync]\n"
            )
        });
        plane.push_text(
            "tenants/acme/tenant.yaml",
            &format!(
                "apiVersion: stoa.io/v1\nkind: Tenant\nmetadata:\n  name: acme\n  uid: \
                 0198c0de-0000-7000-8000-000000000001\nspec:\n  displayName: Acme\n  environments: [dev, staging]\n\
                 {}",
                producers.unwrap_or_default()
            ),
        );
        plane.relay();
        plane
    }

    /// Somebody of `acme` declares an API, and the relay goes.
    pub(crate) async fn declare(&self, name: &str) -> Answer {
        let body = json!({ "name": name, "backend_url": "http://127.0.0.1:8090", "openapi": OPENAPI });
        let answer = self.member("devops", Method::POST, "/v1/tenants/acme/apis").json(&body).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        self.relay();
        answer
    }

    /// Somebody pushes files to the remote.
    pub(crate) fn push(&self, files: &Files) -> CommitId {
        let head = self.state.repository.fetch().unwrap();
        let author =
            Author { name: "Grace".to_owned(), email: "grace@example.com".to_owned(), at: self.clock.now() };
        self.writer.commit(head.as_ref(), files, &author, "Push", "pushed").unwrap()
    }

    /// Somebody pushes one file.
    pub(crate) fn push_text(&self, path: &str, text: &str) -> CommitId {
        self.push(&BTreeMap::from([(path.to_owned(), Some(text.as_bytes().to_vec()))]))
    }

    /// The relay goes to the head of the branch.
    pub(crate) fn relay(&self) {
        let Some(head) = self.state.repository.fetch().unwrap() else { return };
        let next = self.state.desired.load().ahead(&self.state.repository, &head).unwrap();
        self.state.desired.replace(next);
    }

    /// What the head of the remote's branch holds at `path`.
    pub(crate) fn file(&self, path: &str) -> Option<String> {
        let head = self.state.repository.fetch().unwrap()?;
        let tree = self.state.repository.tree(&head).unwrap();
        let blob = tree.get(path)?;
        Some(String::from_utf8(self.state.repository.read(blob).unwrap()).unwrap())
    }

    /// The messages of the commits of the branch, newest first.
    pub(crate) fn messages(&self) -> Vec<String> {
        let mut next = self.state.repository.fetch().unwrap();
        let mut messages = Vec::new();
        while let Some(commit) = next {
            let info = self.state.repository.commit_info(&commit).unwrap();
            messages.push(info.message.lines().next().unwrap_or_default().to_owned());
            next = info.parents.first().cloned();
        }
        messages
    }

    /// The door for requests by topic.
    pub(crate) fn door(&self) -> Door {
        Door {
            commands: self.state.commands.clone(),
            desired: self.state.desired.clone(),
            store: self.state.store.clone(),
            announce: self.announced.clone(),
            clock: Arc::new(self.clock.clone()),
            metrics: self.state.metrics.clone(),
        }
    }

    /// A request of an administrator of the platform.
    pub(crate) fn root(&self, method: Method, path: &str) -> Call<'_> {
        self.call(method, path, &ISSUER.person("control-plane-api", "root", "stoa", &["cpi-admin"]))
    }

    /// A request of somebody of the tenant `acme`.
    pub(crate) fn member(&self, role: &str, method: Method, path: &str) -> Call<'_> {
        self.call(method, path, &ISSUER.person("control-plane-api", "ada", "acme", &[role]))
    }

    fn call(&self, method: Method, path: &str, token: &str) -> Call<'_> {
        let request = TestRequest::with_uri(path)
            .method(method)
            .insert_header(("authorization", format!("Bearer {token}")));
        Call { plane: self, request }
    }
}

/// A request to be sent.
pub(crate) struct Call<'p> {
    plane: &'p Plane,
    request: TestRequest,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: BTreeMap<String, String>,
    pub(crate) text: String,
}

impl Call<'_> {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request = self.request.insert_header((name, value.to_owned()));
        self
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.request = self.request.set_json(body);
        self
    }

    pub(crate) fn text(mut self, body: &str) -> Self {
        self.request = self.request.set_payload(body.to_owned());
        self
    }

    /// As actix takes it, for answers that do not end by themselves.
    pub(crate) fn into_request(self) -> TestRequest {
        self.request
    }

    pub(crate) async fn send(self) -> Answer {
        let state = self.plane.state.clone();
        let app = init_service(App::new().configure(|config| routes::configure(config, &state))).await;
        let response = call_service(&app, self.request.to_request()).await;
        let status = response.status();
        let named =
            |value: &actix_web::http::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers =
            response.headers().iter().map(|(name, value)| (name.to_string(), named(value))).collect();
        let body = to_bytes(response.into_body()).await.unwrap();
        Answer { status, headers, text: String::from_utf8(body.to_vec()).unwrap() }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| json!(self.text))
    }

    /// Status, the headers that are ours, and the body.
    pub(crate) fn whole(&self) -> Value {
        let ours = ["etag", "idempotency-replayed", "location", "preference-applied", "retry-after"];
        let mut headers = Map::new();
        for (name, value) in &self.headers {
            if name.starts_with("stoa-") || ours.contains(&name.as_str()) {
                headers.insert(name.clone(), json!(value));
            }
        }
        json!({ "status": self.status.as_u16(), "headers": headers, "body": self.body() })
    }
}
