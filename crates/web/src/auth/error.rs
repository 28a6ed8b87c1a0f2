//! Why a token is not accepted, and how that is answered.

use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};

use crate::{Kind, Problem};

/// How long a caller should wait when the issuer cannot be reached.
const RETRY_AFTER: u32 = 5;

/// Why a token is not accepted.
///
/// The texts go to the caller, so they say nothing of keys and nothing that is in the token.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// There is none.
    #[error("send an access token as `Authorization: Bearer`")]
    Missing,
    /// It has not the form of a signed token.
    #[error("the token is not a signed JSON web token")]
    Malformed,
    /// Its algorithm is not one of those accepted, or not the one of its key.
    #[error("the token's signature algorithm is not accepted")]
    Algorithm,
    /// The issuer has no key with that id.
    #[error("the token is signed with a key that its issuer does not have")]
    UnknownKey,
    /// The signature is not of that key.
    #[error("the token's signature is wrong")]
    Signature,
    /// Another issuer made it.
    #[error("the token is of another issuer")]
    Issuer,
    /// It is for another service.
    #[error("the token is for another audience")]
    Audience,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    Early,
    /// A claim is missing or cannot be used.
    #[error("the token {0}")]
    Claim(&'static str),
    /// The issuer's keys are not known at present.
    #[error("the token issuer cannot be reached at present")]
    Unavailable,
}

/// The value of `WWW-Authenticate` that answers `error`.
#[must_use]
pub fn challenge(error: &AuthError) -> String {
    match error {
        AuthError::Missing => "Bearer realm=\"stoa\"".to_owned(),
        refused => {
            format!("Bearer realm=\"stoa\", error=\"invalid_token\", error_description=\"{refused}\"")
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        if matches!(error, AuthError::Unavailable) {
            return Self::new(Kind::Unavailable, error.to_string()).retry_after(RETRY_AFTER);
        }
        let problem = Self::new(Kind::Unauthenticated, error.to_string());
        // The texts above are plain ASCII.
        match HeaderValue::from_str(&challenge(&error)) {
            Ok(value) => problem.header(WWW_AUTHENTICATE, value),
            Err(_) => problem,
        }
    }
}
