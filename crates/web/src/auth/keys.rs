//! The keys of an issuer: fresh ones are used, stale ones too while new ones are fetched in the background.
//!
//! Fetches never run side by side, and never sooner after one another than the floor allows, whatever tokens say.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jiff::Timestamp;
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use reqwest::Client;
use runtime::{Clock, Spawner, chain};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tracing::{info, warn};

use super::{AuthError, OidcSettings, discovery::fetch_keys};

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct Keys {
    settings: OidcSettings,
    client: Client,
    clock: Arc<dyn Clock>,
    spawner: Spawner,
    known: RwLock<Arc<Known>>,
    /// The last fetch; held while one runs.
    attempted: Arc<Mutex<Option<Attempt>>>,
}

/// A fetch that was tried.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    at: Timestamp,
    failed: bool,
}

/// What one fetch gave.
#[derive(Debug, Default)]
struct Known {
    fetched: Option<Timestamp>,
    generation: u64,
    published: Vec<Jwk>,
    keys: HashMap<String, Arc<Key>>,
}

/// One signing key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) decoding: DecodingKey,
    /// The only algorithm that the issuer uses it with, if it says so.
    pub(super) algorithm: Option<Algorithm>,
}

impl Keys {
    pub(super) fn new(
        settings: OidcSettings,
        client: Client,
        clock: Arc<dyn Clock>,
        spawner: Spawner,
    ) -> Self {
        let (known, attempted) = (RwLock::default(), Arc::default());
        Self { settings, client, clock, spawner, known, attempted }
    }

    /// A number that grows whenever the set of keys changes.
    pub(super) fn generation(&self) -> u64 {
        self.known().generation
    }

    /// The key called `id`.
    pub(super) async fn key(self: &Arc<Self>, id: &str) -> Result<Arc<Key>, AuthError> {
        let known = self.usable().await?;
        if let Some(key) = known.keys.get(id) {
            return Ok(Arc::clone(key));
        }
        let answered = self.fetch(known.fetched).await;
        // Without an answer nobody knows whether the key is a new one.
        let unknown = if answered { AuthError::UnknownKey } else { AuthError::Unavailable };
        self.known().keys.get(id).cloned().ok_or(unknown)
    }

    /// Fetches the keys if they are not fresh, as at the start.
    pub(super) async fn warm(self: &Arc<Self>) -> Result<(), AuthError> {
        self.usable().await.map(|_| ())
    }

    /// What is known, if it may still be trusted.
    pub(super) fn check_trust(self: &Arc<Self>) -> Result<(), AuthError> {
        self.trusted().map(|_| ()).ok_or(AuthError::Unavailable)
    }

    async fn usable(self: &Arc<Self>) -> Result<Arc<Known>, AuthError> {
        if let Some(known) = self.trusted() {
            return Ok(known);
        }
        self.fetch(self.known().fetched).await;
        self.trusted().ok_or(AuthError::Unavailable)
    }

    /// What is known, unless it is too old; if it is stale, a fetch starts in the background.
    fn trusted(self: &Arc<Self>) -> Option<Arc<Known>> {
        let known = self.known();
        let age = age(known.fetched?, self.clock.now());
        if age >= self.settings.keys_trusted {
            return None;
        }
        if age >= self.settings.keys_fresh
            && let Ok(attempted) = Arc::clone(&self.attempted).try_lock_owned()
            && self.may_fetch(*attempted)
        {
            self.start(attempted);
        }
        Some(known)
    }

    /// Fetches the keys, unless somebody did since `seen`, or tried a moment ago; tells whether the issuer answers.
    async fn fetch(self: &Arc<Self>, seen: Option<Timestamp>) -> bool {
        let mut attempted = Arc::clone(&self.attempted).lock_owned().await;
        if self.known().fetched == seen && self.may_fetch(*attempted) {
            self.start(attempted);
            attempted = Arc::clone(&self.attempted).lock_owned().await;
        }
        attempted.is_none_or(|last| !last.failed)
    }

    /// Begins a fetch, which runs to its end whether or not the caller who needed it goes away: the floor would
    /// otherwise refuse everybody after a fetch that nobody finished.
    fn start(self: &Arc<Self>, mut attempted: OwnedMutexGuard<Option<Attempt>>) {
        let keys = Arc::clone(self);
        self.spawner.job("fetch the issuer's keys", async move {
            let at = keys.clock.now();
            let failed = !keys.renew().await;
            *attempted = Some(Attempt { at, failed });
            Ok::<_, Infallible>(())
        });
    }

    async fn renew(&self) -> bool {
        match fetch_keys(&self.client, &self.settings).await {
            Ok(set) => {
                self.learn(set);
                true
            }
            Err(error) => {
                let (issuer, cause) = (&self.settings.issuer, chain(&error));
                warn!(issuer, error = cause, "Could not fetch the keys of issuer `{issuer}`: {cause}");
                false
            }
        }
    }

    fn may_fetch(&self, last: Option<Attempt>) -> bool {
        last.is_none_or(|last| age(last.at, self.clock.now()) >= self.settings.fetch_floor)
    }

    fn learn(&self, set: JwkSet) {
        let former = self.known();
        let fetched = Some(self.clock.now());
        let changed = set.keys != former.published;
        let keys: HashMap<_, _> =
            set.keys.iter().filter_map(signing_key).map(|(id, key)| (id, Arc::new(key))).collect();
        if changed {
            info!(issuer = self.settings.issuer, keys = keys.len(), "The issuer has {} keys", keys.len());
        }
        let generation = former.generation + u64::from(changed);
        let known = Known { fetched, generation, published: set.keys, keys };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The key, if it signs and has an id; a symmetric one is never published honestly.
fn signing_key(jwk: &Jwk) -> Option<(String, Key)> {
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let symmetric = matches!(jwk.algorithm, jsonwebtoken::jwk::AlgorithmParameters::OctetKey(_));
    if !signs || symmetric {
        return None;
    }
    let algorithm = match jwk.common.key_algorithm {
        None => None,
        Some(named) => Some(named.to_string().parse().ok()?),
    };
    let decoding = DecodingKey::from_jwk(jwk).ok()?;
    Some((jwk.common.key_id.clone()?, Key { decoding, algorithm }))
}

fn age(since: Timestamp, now: Timestamp) -> Duration {
    // A clock that was set back makes things young, not old.
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}
