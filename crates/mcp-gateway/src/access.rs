//! Who calls, and which routes are open to whom.

use std::sync::Arc;

use actix_web::{HttpRequest, http::header::AUTHORIZATION};
use domain::rbac::Principal;
use web::{AuthError, Verifier};

use crate::{
    metrics::Metrics,
    routes::{Access, Audience, Route},
};

/// Who sent a request.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// There was no token.
    Anonymous,
    /// The bearer of a valid token.
    Known(Arc<Principal>),
}

/// Why a caller may not use a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// A token is needed.
    NoToken,
    /// The API belongs to another tenant.
    OtherTenant,
    /// The token lacks scopes; these are all that the call needs.
    Scopes(Vec<String>),
}

impl Caller {
    /// Reads and verifies the token of a request, if it has one.
    pub(crate) async fn of(
        request: &HttpRequest,
        verifier: &Verifier,
        metrics: &Metrics,
    ) -> Result<Self, AuthError> {
        let mut given = request.headers().get_all(AUTHORIZATION);
        let Some(value) = given.next() else { return Ok(Self::Anonymous) };
        let outcome = match (value.to_str().ok().and_then(bearer), given.next()) {
            (Some(token), None) => verifier.verify(token).await,
            _ => Err(AuthError::Malformed),
        };
        metrics.authenticated(outcome.as_ref().err());
        outcome.map(Self::Known)
    }

    /// Whose list of tools the caller sees.
    pub(crate) fn audience(&self) -> Audience {
        match self {
            Self::Anonymous => Audience::Anyone,
            Self::Known(principal) if principal.administers_platform() => Audience::Platform,
            Self::Known(principal) => principal.tenant.clone().map_or(Audience::Nobody, Audience::Tenant),
        }
    }

    /// Whether the caller may use `route`.
    pub(crate) fn check(&self, route: &Route) -> Result<(), Denied> {
        if route.access == Access::Anyone {
            return Ok(());
        }
        let Self::Known(principal) = self else { return Err(Denied::NoToken) };
        if !principal.administers_platform() && principal.tenant.as_ref() != Some(&route.tenant) {
            return Err(Denied::OtherTenant);
        }
        if route.scopes.iter().any(|scope| !principal.scopes.contains(scope)) {
            return Err(Denied::Scopes(route.scopes.clone()));
        }
        Ok(())
    }

    /// Who it is, for logs.
    pub(crate) fn subject(&self) -> &str {
        match self {
            Self::Anonymous => "",
            Self::Known(principal) => &principal.subject,
        }
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
