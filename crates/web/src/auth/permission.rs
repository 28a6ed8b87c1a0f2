//! Permissions as types, so that a handler's signature names the one it needs.

use domain::rbac::Permission;

/// A type that stands for a permission.
pub trait Requires: 'static {
    /// Which one.
    const PERMISSION: Permission;
}

macro_rules! permissions {
    ($($name:ident),+ $(,)?) => {
        $(
            #[doc = concat!("[`Permission::", stringify!($name), "`]")]
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl Requires for $name {
                const PERMISSION: Permission = Permission::$name;
            }
        )+
    };
}

permissions!(
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
);
