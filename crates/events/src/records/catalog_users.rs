//! Topic `catalog-users`.

use serde::{Deserialize, Serialize};

use domain::{
    id::{CommitId, Revision},
    name::TenantName,
};

use crate::{event::event, topics};

/// Desired members of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogUsers {
    /// The tenant.
    pub tenant: TenantName,
    /// The members, by address.
    pub members: Vec<Member>,
    /// The revision that this state derives from.
    pub revision: Revision,
    /// The commit that this state derives from.
    pub commit: CommitId,
}

/// A person of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Address, lower-case; belongs to one tenant.
    pub email: String,
    /// Name to sign in with.
    pub username: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Roles inside the tenant.
    pub roles: Vec<String>,
}

event!(
    CatalogUsers,
    topics::CATALOG_USERS,
    "catalog-users",
    1,
    key = |record| record.tenant.to_string(),
    subject = |record| format!("tenants/{}/users", record.tenant)
);
