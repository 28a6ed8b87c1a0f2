//! The people of a tenant.

use std::collections::BTreeSet;

use crate::{name::TenantName, rbac::Role};

/// The people of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Users {
    /// The tenant.
    pub tenant: TenantName,
    /// Its people, in the order of the document.
    pub users: Vec<User>,
}

/// A person of a tenant; an e-mail belongs to one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The sign-in name.
    pub username: String,
    /// The e-mail address, in lower case.
    pub email: String,
    /// What the person may do.
    pub roles: BTreeSet<Role>,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// Whether the person may sign in.
    pub enabled: bool,
}
