//! A token issuer on loopback with real RSA keys, for tests of everything that verifies tokens.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{
    HttpResponse,
    web::{Data, ServiceConfig, get},
};
use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use runtime::{Clock, HttpSettings, Lifecycle, Metrics, Readiness, SystemRandom, http_client};
use serde_json::{Value, json};

use crate::{OidcSettings, Parts, Server, Settings, Verifier};

/// How long a token lasts unless its claims say otherwise.
const LASTS: Duration = Duration::from_mins(5);

/// A running issuer; clones are the same one.
#[derive(Clone, Debug)]
pub struct Issuer {
    address: String,
    clock: Arc<dyn Clock>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Published keys by id, in the order of their making; the last one signs.
    keys: Mutex<BTreeMap<String, Signing>>,
    made: AtomicUsize,
    fetches: AtomicUsize,
    down: AtomicBool,
}

struct Signing {
    key: EncodingKey,
    published: Jwk,
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signing").finish_non_exhaustive()
    }
}

impl Issuer {
    /// Starts an issuer with one key.
    ///
    /// # Panics
    /// If it cannot listen or draw a key.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a helper of tests")]
    pub fn start(lifecycle: &Lifecycle, clock: Arc<dyn Clock>) -> Self {
        let state = Arc::new(State::default());
        let (answering, time) = (Arc::clone(&state), Arc::clone(&clock));
        let parts = Parts {
            service: "issuer",
            readiness: Readiness::new(lifecycle.stopping()),
            metrics: Metrics::new("issuer"),
            clock: time,
            random: Arc::new(SystemRandom::default()),
        };
        let settings = Settings { workers: 1, stop: Duration::from_secs(1), ..Settings::loopback(0) };
        let server = Server::bind(&settings, parts, move |config| routes(config, &answering)).unwrap();
        let address = format!("http://{}", server.address());
        lifecycle.spawn("issuer", server.run(lifecycle.stopping()));
        let issuer = Self { address, clock, state };
        issuer.rotate();
        issuer
    }

    /// What tokens name as their issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.address
    }

    /// The settings of a verifier for `audience`.
    #[must_use]
    pub fn settings(&self, audience: &str) -> OidcSettings {
        OidcSettings::new(self.issuer(), audience)
    }

    /// A verifier for `audience`.
    ///
    /// # Panics
    /// If no HTTP client can be made.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a helper of tests")]
    pub fn verifier(&self, lifecycle: &Lifecycle, audience: &str) -> Verifier {
        let client = http_client(&HttpSettings::default()).unwrap();
        Verifier::new(self.settings(audience), client, Arc::clone(&self.clock), lifecycle.spawner())
    }

    /// A token with `claims`; issuer, subject and times are added unless given, and `null` leaves one out.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.key_id()), ..Header::new(Algorithm::RS256) };
        self.token_with(&header, claims)
    }

    /// A token of a person: `tenant` and `roles` as Keycloak writes them.
    #[must_use]
    pub fn person(&self, audience: &str, username: &str, tenant: &str, roles: &[&str]) -> String {
        self.token(&json!({
            "aud": audience,
            "sub": format!("{username}-id"),
            "preferred_username": username,
            "tenant_id": tenant,
            "realm_access": { "roles": roles },
        }))
    }

    /// Like [`token`](Self::token), with a header of the caller's making, signed with the newest key.
    ///
    /// # Panics
    /// If it cannot be signed.
    #[must_use]
    #[expect(clippy::unwrap_used, reason = "a helper of tests")]
    pub fn token_with(&self, header: &Header, claims: &Value) -> String {
        let keys = self.state.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, signing) = keys.last_key_value().unwrap();
        encode(header, &self.claims(claims), &signing.key).unwrap()
    }

    /// `claims` with what every token has.
    #[must_use]
    pub fn claims(&self, claims: &Value) -> Value {
        let now = self.clock.now().as_second();
        let lasts = i64::try_from(LASTS.as_secs()).unwrap_or(i64::MAX);
        let mut all = json!({ "iss": self.address, "sub": "someone", "iat": now, "exp": now + lasts });
        if let (Some(all), Some(given)) = (all.as_object_mut(), claims.as_object()) {
            all.extend(given.clone());
            all.retain(|_, value| !value.is_null());
        }
        all
    }

    /// The id of the key that signs.
    #[must_use]
    pub fn key_id(&self) -> String {
        let keys = self.state.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.keys().next_back().cloned().unwrap_or_default()
    }

    /// Publishes a new key beside the others and signs with it from now on.
    ///
    /// # Panics
    /// If no key can be drawn.
    #[expect(clippy::unwrap_used, reason = "a helper of tests")]
    pub fn rotate(&self) {
        let number = self.state.made.fetch_add(1, Ordering::Relaxed);
        let key = EncodingKey::from_rsa_pem(drawn(number).as_bytes()).unwrap();
        let id = format!("key-{number:03}");
        let mut published = Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap();
        published.common.key_id = Some(id.clone());
        self.state.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Signing { key, published });
    }

    /// Takes back every key but the newest.
    pub fn retire(&self) {
        let mut keys = self.state.keys.lock().unwrap_or_else(PoisonError::into_inner);
        while keys.len() > 1 {
            keys.pop_first();
        }
    }

    /// The published keys.
    #[must_use]
    pub fn published(&self) -> Vec<Jwk> {
        let keys = self.state.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.values().map(|signing| signing.published.clone()).collect()
    }

    /// Answers everything with 503 while `down`.
    pub fn set_down(&self, down: bool) {
        self.state.down.store(down, Ordering::Release);
    }

    /// How often the keys were asked for, answered or not.
    #[must_use]
    pub fn fetches(&self) -> usize {
        self.state.fetches.load(Ordering::Acquire)
    }
}

/// The key of that number, drawn once a process: it takes a tenth of a second.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn drawn(number: usize) -> String {
    static DRAWN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    while drawn.len() <= number {
        let der: Pkcs8V1Der<'static> = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
        let text = STANDARD.encode(der.as_ref());
        drawn.push(format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"));
    }
    drawn[number].clone()
}

fn routes(config: &mut ServiceConfig, state: &Arc<State>) {
    config
        .app_data(Data::from(Arc::clone(state)))
        .route("/.well-known/openid-configuration", get().to(metadata))
        .route("/keys", get().to(keys));
}

async fn metadata(request: actix_web::HttpRequest, state: Data<State>) -> HttpResponse {
    state.fetches.fetch_add(1, Ordering::AcqRel);
    if state.down.load(Ordering::Acquire) {
        return HttpResponse::ServiceUnavailable().finish();
    }
    let issuer = format!("http://{}", request.connection_info().host());
    HttpResponse::Ok().json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

async fn keys(state: Data<State>) -> HttpResponse {
    let keys = state.keys.lock().unwrap_or_else(PoisonError::into_inner);
    let mut published: Vec<Value> = vec![json!({ "kty": "unheard-of", "kid": "other" })];
    published.extend(keys.values().filter_map(|signing| serde_json::to_value(&signing.published).ok()));
    HttpResponse::Ok().json(json!({ "keys": published }))
}
