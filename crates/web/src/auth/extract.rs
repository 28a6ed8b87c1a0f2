//! The caller as an argument of a handler.

use std::{marker::PhantomData, sync::Arc};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest, dev::Payload, http::header::AUTHORIZATION, web::Data,
};
use domain::{
    name::TenantName,
    rbac::{Denied, Principal},
};
use futures_util::future::LocalBoxFuture;
use tracing::Span;

use super::{AuthError, Requires, Verifier};
use crate::{Kind, Problem};

/// The segment of a route that names its tenant.
const TENANT: &str = "tenant";

/// A caller with a valid token; needs a `Data<Verifier>` in the app.
#[derive(Clone, Debug)]
pub struct Authenticated(Arc<Principal>);

/// A caller who may do `P` in the tenant of the route; on a route without one, over all tenants.
#[derive(Clone, Debug)]
pub struct Authorized<P> {
    principal: Arc<Principal>,
    tenant: Option<TenantName>,
    permission: PhantomData<P>,
}

/// A caller who may do `P` somewhere: for lists that show only his own, and for what belongs to no tenant.
#[derive(Clone, Debug)]
pub struct AuthorizedAnywhere<P> {
    principal: Arc<Principal>,
    permission: PhantomData<P>,
}

impl Authenticated {
    /// Who calls.
    #[must_use]
    pub fn principal(&self) -> &Arc<Principal> {
        &self.0
    }
}

impl<P> Authorized<P> {
    /// Who calls.
    #[must_use]
    pub fn principal(&self) -> &Arc<Principal> {
        &self.principal
    }

    /// The tenant of the route, if it has one.
    #[must_use]
    pub fn tenant(&self) -> Option<&TenantName> {
        self.tenant.as_ref()
    }
}

impl<P> AuthorizedAnywhere<P> {
    /// Who calls.
    #[must_use]
    pub fn principal(&self) -> &Arc<Principal> {
        &self.principal
    }
}

impl FromRequest for Authenticated {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(Self(principal(&request).await?)) })
    }
}

impl<P: Requires> FromRequest for Authorized<P> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let principal = principal(&request).await?;
            let tenant = tenant(&request)?;
            principal.may(P::PERMISSION, tenant.as_ref()).map_err(|denied| forbidden(&denied))?;
            Ok(Self { principal, tenant, permission: PhantomData })
        })
    }
}

impl<P: Requires> FromRequest for AuthorizedAnywhere<P> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let principal = principal(&request).await?;
            if !principal.holds(P::PERMISSION) {
                return Err(forbidden(&Denied::Permission { permission: P::PERMISSION }));
            }
            Ok(Self { principal, permission: PhantomData })
        })
    }
}

/// The caller, verified once a request.
async fn principal(request: &HttpRequest) -> Result<Arc<Principal>, Problem> {
    if let Some(Authenticated(principal)) = request.extensions().get::<Authenticated>() {
        return Ok(Arc::clone(principal));
    }
    let verifier = request.app_data::<Data<Verifier>>();
    let verifier = verifier.ok_or_else(|| Problem::new(Kind::Internal, "the service verifies no tokens"))?;
    let principal = verifier.verify(bearer(request)?).await?;
    Span::current().record("caller", principal.subject.as_str());
    request.extensions_mut().insert(Authenticated(Arc::clone(&principal)));
    Ok(principal)
}

fn bearer(request: &HttpRequest) -> Result<&str, AuthError> {
    let mut given = request.headers().get_all(AUTHORIZATION);
    let value = given.next().ok_or(AuthError::Missing)?.to_str().map_err(|_| AuthError::Malformed)?;
    if given.next().is_some() {
        return Err(AuthError::Malformed);
    }
    let (scheme, token) = value.split_once(' ').ok_or(AuthError::Missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(AuthError::Missing) }
}

fn tenant(request: &HttpRequest) -> Result<Option<TenantName>, Problem> {
    let Some(name) = request.match_info().get(TENANT) else { return Ok(None) };
    let nobody = |_| Problem::new(Kind::TenantNotFound, "no tenant can have that name");
    name.parse().map(Some).map_err(nobody)
}

fn forbidden(denied: &Denied) -> Problem {
    Problem::new(Kind::Forbidden, denied.to_string())
}
