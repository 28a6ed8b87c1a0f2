//! Who may do what: roles, the permissions they grant, and the tenant a principal belongs to.

use std::{collections::BTreeSet, fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::TenantName;

/// A role of the platform; what it grants is one table, [`Role::permissions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Administers the platform; counts only for members of the platform tenant.
    CpiAdmin,
    /// Administers one tenant.
    TenantAdmin,
    /// Builds, deploys and promotes in one tenant.
    Devops,
    /// Reads in one tenant.
    Viewer,
}

/// Something that a request needs to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is its own name, `apis:create` and so on")]
pub enum Permission {
    TenantsCreate,
    TenantsUpdate,
    TenantsDelete,
    TenantsRead,
    ApisCreate,
    ApisUpdate,
    ApisRead,
    ApisDelete,
    ApisDeploy,
    ApisPromote,
    AppsCreate,
    AppsUpdate,
    AppsRead,
    AppsDelete,
    UsersManage,
    AuditRead,
}

/// What a viewer may; every other role grants it too.
const VIEWER: [Permission; 4] =
    [Permission::TenantsRead, Permission::ApisRead, Permission::AppsRead, Permission::AuditRead];

/// What `devops` may beyond a viewer.
const DEVOPS: [Permission; 6] = [
    Permission::ApisCreate,
    Permission::ApisUpdate,
    Permission::ApisDeploy,
    Permission::ApisPromote,
    Permission::AppsCreate,
    Permission::AppsUpdate,
];

/// What a tenant's administrator may beyond `devops`.
const TENANT_ADMIN: [Permission; 3] =
    [Permission::ApisDelete, Permission::AppsDelete, Permission::UsersManage];

/// What only the platform's administrator may.
const CPI_ADMIN: [Permission; 3] =
    [Permission::TenantsCreate, Permission::TenantsUpdate, Permission::TenantsDelete];

impl Role {
    /// Every role, the most powerful first.
    pub const ALL: [Self; 4] = [Self::CpiAdmin, Self::TenantAdmin, Self::Devops, Self::Viewer];

    /// The permissions that the role grants.
    pub fn permissions(self) -> impl Iterator<Item = Permission> {
        let levels: &[&[Permission]] = match self {
            Self::CpiAdmin => &[&VIEWER, &DEVOPS, &TENANT_ADMIN, &CPI_ADMIN],
            Self::TenantAdmin => &[&VIEWER, &DEVOPS, &TENANT_ADMIN],
            Self::Devops => &[&VIEWER, &DEVOPS],
            Self::Viewer => &[&VIEWER],
        };
        levels.iter().flat_map(|level| level.iter().copied())
    }

    /// Whether the role grants `permission`.
    #[must_use]
    pub fn grants(self, permission: Permission) -> bool {
        self.permissions().any(|granted| granted == permission)
    }

    /// The role's name in tokens and documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CpiAdmin => "cpi-admin",
            Self::TenantAdmin => "tenant-admin",
            Self::Devops => "devops",
            Self::Viewer => "viewer",
        }
    }
}

/// A role that the platform does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role; roles are cpi-admin, tenant-admin, devops, viewer")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    /// Also reads the names that the original's later realms carry (`stoa.admin` and so on).
    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        match name {
            "cpi-admin" | "stoa.admin" => Ok(Self::CpiAdmin),
            "tenant-admin" | "stoa.product_owner" => Ok(Self::TenantAdmin),
            "devops" | "stoa.developer" => Ok(Self::Devops),
            "viewer" | "stoa.consumer" => Ok(Self::Viewer),
            _ => Err(UnknownRole(name.chars().take(60).collect())),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Permission {
    /// The permission's name, such as `apis:create`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TenantsCreate => "tenants:create",
            Self::TenantsUpdate => "tenants:update",
            Self::TenantsDelete => "tenants:delete",
            Self::TenantsRead => "tenants:read",
            Self::ApisCreate => "apis:create",
            Self::ApisUpdate => "apis:update",
            Self::ApisRead => "apis:read",
            Self::ApisDelete => "apis:delete",
            Self::ApisDeploy => "apis:deploy",
            Self::ApisPromote => "apis:promote",
            Self::AppsCreate => "apps:create",
            Self::AppsUpdate => "apps:update",
            Self::AppsRead => "apps:read",
            Self::AppsDelete => "apps:delete",
            Self::UsersManage => "users:manage",
            Self::AuditRead => "audit:read",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who acts, as a verified token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The issuer's id of the person or client; the only one to compare by.
    pub subject: String,
    /// The name that people know.
    pub username: String,
    /// The e-mail address, where the token has one.
    pub email: Option<String>,
    /// The tenant that the principal belongs to; without one, nothing of any tenant is allowed.
    pub tenant: Option<TenantName>,
    /// The known roles of the token; unknown ones are left out.
    pub roles: BTreeSet<Role>,
    /// The OAuth scopes of the token.
    pub scopes: BTreeSet<String>,
}

/// Why a principal may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No role of the principal grants it.
    #[error("permission `{permission}` is required")]
    Permission { permission: Permission },
    /// It is granted, but in another tenant.
    #[error("no access to tenant `{tenant}`")]
    Tenant { tenant: TenantName },
    /// It reaches over all tenants, which only the platform's administrators may.
    #[error("`{permission}` over all tenants is for the platform's administrators")]
    Platform { permission: Permission },
}

impl Principal {
    /// Whether the principal administers the platform: `cpi-admin`, and a member of the platform tenant.
    #[must_use]
    pub fn administers_platform(&self) -> bool {
        self.roles.contains(&Role::CpiAdmin) && self.tenant.as_ref().is_some_and(TenantName::is_platform)
    }

    /// Whether some role grants `permission`, wherever that may be.
    ///
    /// For what belongs to no tenant and everybody may see: environments, gateways, plans.
    #[must_use]
    pub fn holds(&self, permission: Permission) -> bool {
        self.roles.iter().any(|role| match role {
            // The role says nothing outside the platform tenant.
            Role::CpiAdmin => self.administers_platform(),
            other => other.grants(permission),
        })
    }

    /// Allows `permission` in `tenant`, or over all tenants when there is none.
    pub fn may(&self, permission: Permission, tenant: Option<&TenantName>) -> Result<(), Denied> {
        if self.administers_platform() {
            return Ok(());
        }
        if !self.holds(permission) {
            return Err(Denied::Permission { permission });
        }
        match tenant {
            None => Err(Denied::Platform { permission }),
            Some(tenant) if self.tenant.as_ref() == Some(tenant) => Ok(()),
            Some(tenant) => Err(Denied::Tenant { tenant: tenant.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> TenantName {
        name.parse().unwrap()
    }

    fn member(of: Option<&str>, roles: &[Role]) -> Principal {
        Principal {
            subject: "5f1c".to_owned(),
            username: "ada".to_owned(),
            email: None,
            tenant: of.map(tenant),
            roles: roles.iter().copied().collect(),
            scopes: BTreeSet::new(),
        }
    }

    #[test]
    fn the_table_of_roles_is_the_one_that_is_documented() {
        let rows: Vec<String> = Role::ALL
            .iter()
            .map(|role| {
                let mut granted: Vec<_> = role.permissions().collect();
                granted.sort();
                let names: Vec<_> = granted.iter().map(|permission| permission.as_str()).collect();
                format!("{role}: {}", names.join(" "))
            })
            .collect();
        insta::assert_snapshot!(rows.join("\n"), @r"
        cpi-admin: tenants:create tenants:update tenants:delete tenants:read apis:create apis:update apis:read apis:delete apis:deploy apis:promote apps:create apps:update apps:read apps:delete users:manage audit:read
        tenant-admin: tenants:read apis:create apis:update apis:read apis:delete apis:deploy apis:promote apps:create apps:update apps:read apps:delete users:manage audit:read
        devops: tenants:read apis:create apis:update apis:read apis:deploy apis:promote apps:create apps:update apps:read audit:read
        viewer: tenants:read apis:read apps:read audit:read
        ");
    }

    #[test]
    fn everybody_acts_in_the_own_tenant_only() {
        let ada = member(Some("acme"), &[Role::Devops]);
        assert_eq!(ada.may(Permission::ApisDeploy, Some(&tenant("acme"))), Ok(()));
        assert_eq!(
            ada.may(Permission::ApisDeploy, Some(&tenant("globex"))),
            Err(Denied::Tenant { tenant: tenant("globex") })
        );
        assert_eq!(
            ada.may(Permission::ApisRead, None),
            Err(Denied::Platform { permission: Permission::ApisRead })
        );
        assert_eq!(
            ada.may(Permission::ApisDelete, Some(&tenant("acme"))),
            Err(Denied::Permission { permission: Permission::ApisDelete })
        );
    }

    #[test]
    fn an_administrator_of_the_platform_acts_across_tenants() {
        let root = member(Some("stoa"), &[Role::CpiAdmin]);
        assert_eq!(root.may(Permission::TenantsCreate, None), Ok(()));
        assert_eq!(root.may(Permission::ApisDelete, Some(&tenant("acme"))), Ok(()));
    }

    #[test]
    fn the_administrators_role_says_nothing_outside_the_platform_tenant() {
        for outsider in [member(Some("acme"), &[Role::CpiAdmin]), member(None, &[Role::CpiAdmin])] {
            assert_eq!(
                outsider.may(Permission::ApisRead, Some(&tenant("acme"))),
                Err(Denied::Permission { permission: Permission::ApisRead })
            );
        }
    }

    #[test]
    fn without_a_tenant_nothing_is_allowed() {
        let stray = member(None, &[Role::TenantAdmin]);
        assert_eq!(
            stray.may(Permission::ApisRead, Some(&tenant("acme"))),
            Err(Denied::Tenant { tenant: tenant("acme") })
        );
    }

    #[test]
    fn later_names_of_roles_are_read() {
        assert_eq!("stoa.admin".parse(), Ok(Role::CpiAdmin));
        assert_eq!("viewer".parse(), Ok(Role::Viewer));
        assert!("Viewer".parse::<Role>().is_err());
    }
}
