//! Who asks, by which request, under which condition.

use std::{fmt, sync::Arc};

use domain::{id::Digest, name::TenantName, rbac::Principal};

/// Who acts, as commits name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Actor {
    pub(crate) name: String,
    pub(crate) email: String,
}

impl Actor {
    /// A person or a client with a token.
    pub(crate) fn principal(principal: &Principal) -> Self {
        let email = principal.email.clone();
        Self {
            name: principal.username.clone(),
            email: email.unwrap_or_else(|| format!("{}@principals.invalid", principal.subject)),
        }
    }

    /// A producer that a tenant registered.
    pub(crate) fn producer(tenant: &TenantName, producer: &str) -> Self {
        Self { name: format!("producer:{producer}"), email: format!("{producer}@{tenant}.producers.invalid") }
    }
}

/// Where a command comes from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) actor: Actor,
    /// The id that the commit's trailer names: the same for a request that is repeated, of no other request.
    pub(crate) request: String,
    /// Whether the request may have been here before, so that its commit has to be looked for.
    pub(crate) resumed: bool,
}

/// Whether the version of an entity's files, if there is any, is the one that the caller means.
type Check = dyn Fn(Option<&Digest>) -> bool + Send + Sync;

/// A condition of the caller, checked at the head of the branch.
#[derive(Clone)]
pub(crate) struct Precondition(Arc<Check>);

impl Precondition {
    pub(crate) fn new(check: impl Fn(Option<&Digest>) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(check))
    }

    /// Whether it holds.
    pub(crate) fn holds(&self, current: Option<&Digest>) -> bool {
        (self.0)(current)
    }
}

impl fmt::Debug for Precondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Precondition")
    }
}
