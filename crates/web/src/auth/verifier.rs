//! Verifies access tokens.

use std::sync::Arc;

use domain::rbac::Principal;
use jsonwebtoken::{Header, Validation, decode, decode_header, errors::ErrorKind};
use reqwest::Client;
use runtime::{Clock, Spawner};

use super::{
    AuthError, OidcSettings,
    claims::Claims,
    keys::{Key, Keys},
    memory::{Memory, Verified},
};

/// Longer texts are not looked at.
const LONGEST: usize = 16 << 10;

/// Verifies access tokens of one issuer for one audience; cheap to clone, and cheap for tokens seen before.
#[derive(Clone, Debug)]
pub struct Verifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: OidcSettings,
    clock: Arc<dyn Clock>,
    keys: Arc<Keys>,
    memory: Memory,
}

impl Verifier {
    /// Fetches nothing yet; stale keys are replaced by jobs of `spawner`.
    #[must_use]
    pub fn new(settings: OidcSettings, client: Client, clock: Arc<dyn Clock>, spawner: Spawner) -> Self {
        let keys = Arc::new(Keys::new(settings.clone(), client, Arc::clone(&clock), spawner));
        let memory = Memory::new(settings.remembered);
        Self(Arc::new(Inner { settings, clock, keys, memory }))
    }

    /// Fetches the issuer's keys, so that the first request does not wait for them.
    pub async fn warm(&self) -> Result<(), AuthError> {
        self.0.keys.warm().await
    }

    /// Who the bearer of `token` is.
    pub async fn verify(&self, token: &str) -> Result<Arc<Principal>, AuthError> {
        self.0.verify(token).await
    }
}

impl Inner {
    async fn verify(&self, token: &str) -> Result<Arc<Principal>, AuthError> {
        if let Some(principal) = self.remembered(token)? {
            return Ok(principal);
        }
        if token.len() > LONGEST {
            return Err(AuthError::Malformed);
        }
        let header = decode_header(token).map_err(|_| AuthError::Malformed)?;
        if !self.settings.algorithms.contains(&header.alg) {
            return Err(AuthError::Algorithm);
        }
        let id = header.kid.as_deref().ok_or(AuthError::UnknownKey)?;
        let key = self.keys.key(id).await?;
        let generation = self.keys.generation();
        let claims = self.claims(token, &header, &key)?;
        let until = claims.check_time(self.clock.now(), self.settings.leeway.as_secs_f64())?;
        claims.check_use()?;
        let principal = Arc::new(claims.into_principal()?);
        self.memory.insert(token, Verified { principal: Arc::clone(&principal), until, generation });
        Ok(principal)
    }

    /// A token seen before is valid while its time lasts, its key is in use, and the keys are trusted.
    fn remembered(&self, token: &str) -> Result<Option<Arc<Principal>>, AuthError> {
        let Some(verified) = self.memory.get(token) else { return Ok(None) };
        if verified.generation != self.keys.generation() || self.clock.now() >= verified.until {
            return Ok(None);
        }
        self.keys.check_trust()?;
        Ok(Some(verified.principal))
    }

    fn claims(&self, token: &str, header: &Header, key: &Key) -> Result<Claims, AuthError> {
        // A key is used with its own algorithm only, and never as the secret of an HMAC.
        let fits = key.algorithm.is_none_or(|algorithm| algorithm == header.alg);
        if !fits || key.decoding.family() != header.alg.family() {
            return Err(AuthError::Algorithm);
        }
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[&self.settings.audience]);
        validation.set_required_spec_claims(&["aud", "exp", "iss", "sub"]);
        // Times are checked by our own clock.
        validation.validate_exp = false;
        let decoded = decode::<Claims>(token, &key.decoding, &validation);
        decoded.map(|data| data.claims).map_err(|error| refusal(error.kind()))
    }
}

fn refusal(kind: &ErrorKind) -> AuthError {
    match kind {
        ErrorKind::InvalidSignature => AuthError::Signature,
        ErrorKind::InvalidIssuer => AuthError::Issuer,
        ErrorKind::InvalidAudience => AuthError::Audience,
        ErrorKind::InvalidAlgorithm => AuthError::Algorithm,
        ErrorKind::MissingRequiredClaim(_) => AuthError::Claim("lacks one of `aud`, `exp`, `iss` and `sub`"),
        ErrorKind::Json(_) => AuthError::Claim("has claims of an unknown form"),
        _ => AuthError::Malformed,
    }
}
