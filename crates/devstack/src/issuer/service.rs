//! The issuer: its key, whom it knows, the sign-ins under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use runtime::{Clock, Random};

use super::{Directory, Entropy, Key, People, Sessions, SystemEntropy, device::Devices};

/// The issuer of one platform.
#[derive(Debug)]
pub struct Issuer {
    pub(super) key: Key,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) entropy: Arc<dyn Entropy>,
    directory: Arc<dyn Directory>,
    devices: Mutex<Devices>,
    sessions: Mutex<Sessions>,
}

/// The issuer with the address that its tokens name.
pub(super) struct Addressed {
    pub issuer: Issuer,
    pub base: String,
}

impl Issuer {
    /// An issuer that signs with `key` for whom `directory` knows, and renews what `sessions` remembers.
    #[must_use]
    pub fn new(
        key: Key,
        directory: Arc<dyn Directory>,
        sessions: Sessions,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            key,
            clock,
            random,
            entropy: Arc::new(SystemEntropy),
            directory,
            devices: Mutex::default(),
            sessions: Mutex::new(sessions),
        }
    }

    /// With codes and refresh tokens drawn by `entropy`.
    #[must_use]
    pub fn drawing(self, entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, ..self }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Everybody, as of now.
    pub(super) async fn people(&self) -> Arc<People> {
        let directory = Arc::clone(&self.directory);
        // A directory that panics knows nobody.
        actix_web::web::block(move || directory.people()).await.unwrap_or_default()
    }

    pub(super) fn devices(&self) -> MutexGuard<'_, Devices> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
