//! Where an entity stands: its key on the catalogue topics and its place in the repository.

use std::{fmt, str::FromStr};

use crate::{
    entity::RequestId,
    name::{ApiName, ApplicationName, EnvironmentName, GatewayName, PlanName, TenantName},
};

/// The kind of an entity, in the order in which kinds depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is the entity it is named after")]
pub enum Kind {
    Defaults,
    Environment,
    Gateway,
    Plan,
    Tenant,
    Users,
    TenantVariables,
    Api,
    Deployment,
    Application,
    PromotionRequest,
}

impl Kind {
    /// Every kind, in their order.
    pub const ALL: [Self; 11] = [
        Self::Defaults,
        Self::Environment,
        Self::Gateway,
        Self::Plan,
        Self::Tenant,
        Self::Users,
        Self::TenantVariables,
        Self::Api,
        Self::Deployment,
        Self::Application,
        Self::PromotionRequest,
    ];

    /// The kind as documents name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Defaults => "Defaults",
            Self::Environment => "Environment",
            Self::Gateway => "Gateway",
            Self::Plan => "Plan",
            Self::Tenant => "Tenant",
            Self::Users => "Users",
            Self::TenantVariables => "TenantVariables",
            Self::Api => "API",
            Self::Deployment => "Deployment",
            Self::Application => "Application",
            Self::PromotionRequest => "PromotionRequest",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where an entity stands among all others.
///
/// The order puts what is referred to before what refers to it, so sorting paths sorts creations.
/// [`Display`](fmt::Display) gives the key that the entity has on topics, such as `tenants/acme/apis/pets`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant names the entity, each field one part of its path")]
pub enum EntityPath {
    Defaults,
    Environment { environment: EnvironmentName },
    Gateway { environment: EnvironmentName, gateway: GatewayName },
    Plan { plan: PlanName },
    Tenant { tenant: TenantName },
    Users { tenant: TenantName },
    TenantVariables { tenant: TenantName, environment: EnvironmentName },
    Api { tenant: TenantName, api: ApiName },
    Deployment { tenant: TenantName, api: ApiName, environment: EnvironmentName },
    Application { tenant: TenantName, application: ApplicationName },
    PromotionRequest { environment: EnvironmentName, year: i16, month: i8, id: RequestId },
}

impl EntityPath {
    /// The kind of the entity.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Defaults => Kind::Defaults,
            Self::Environment { .. } => Kind::Environment,
            Self::Gateway { .. } => Kind::Gateway,
            Self::Plan { .. } => Kind::Plan,
            Self::Tenant { .. } => Kind::Tenant,
            Self::Users { .. } => Kind::Users,
            Self::TenantVariables { .. } => Kind::TenantVariables,
            Self::Api { .. } => Kind::Api,
            Self::Deployment { .. } => Kind::Deployment,
            Self::Application { .. } => Kind::Application,
            Self::PromotionRequest { .. } => Kind::PromotionRequest,
        }
    }

    /// The tenant under which the entity stands; none for what all tenants share.
    #[must_use]
    pub fn tenant(&self) -> Option<&TenantName> {
        match self {
            Self::Tenant { tenant }
            | Self::Users { tenant }
            | Self::TenantVariables { tenant, .. }
            | Self::Api { tenant, .. }
            | Self::Deployment { tenant, .. }
            | Self::Application { tenant, .. } => Some(tenant),
            _ => None,
        }
    }
}

impl fmt::Display for EntityPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => f.write_str("defaults"),
            Self::Environment { environment } => write!(f, "environments/{environment}"),
            Self::Gateway { environment, gateway } => {
                write!(f, "environments/{environment}/gateways/{gateway}")
            }
            Self::Plan { plan } => write!(f, "plans/{plan}"),
            Self::Tenant { tenant } => write!(f, "tenants/{tenant}"),
            Self::Users { tenant } => write!(f, "tenants/{tenant}/users"),
            Self::TenantVariables { tenant, environment } => {
                write!(f, "tenants/{tenant}/environments/{environment}")
            }
            Self::Api { tenant, api } => write!(f, "tenants/{tenant}/apis/{api}"),
            Self::Deployment { tenant, api, environment } => {
                write!(f, "tenants/{tenant}/apis/{api}/deployments/{environment}")
            }
            Self::Application { tenant, application } => {
                write!(f, "tenants/{tenant}/applications/{application}")
            }
            Self::PromotionRequest { environment, year, month, id } => {
                write!(f, "requests/{environment}/{year:04}/{month:02}/{id}")
            }
        }
    }
}

/// Why a text is no entity path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the path of an entity")]
pub struct PathError(String);

impl FromStr for EntityPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let parts: Vec<&str> = text.split('/').collect();
        parse(&parts).ok_or_else(|| PathError(text.chars().take(200).collect()))
    }
}

fn parse(parts: &[&str]) -> Option<EntityPath> {
    let path = match parts {
        ["defaults"] => EntityPath::Defaults,
        ["environments", environment] => EntityPath::Environment { environment: environment.parse().ok()? },
        ["environments", environment, "gateways", gateway] => {
            EntityPath::Gateway { environment: environment.parse().ok()?, gateway: gateway.parse().ok()? }
        }
        ["plans", plan] => EntityPath::Plan { plan: plan.parse().ok()? },
        ["tenants", tenant] => EntityPath::Tenant { tenant: tenant.parse().ok()? },
        ["tenants", tenant, "users"] => EntityPath::Users { tenant: tenant.parse().ok()? },
        ["tenants", tenant, "environments", environment] => EntityPath::TenantVariables {
            tenant: tenant.parse().ok()?,
            environment: environment.parse().ok()?,
        },
        ["tenants", tenant, "apis", api] => {
            EntityPath::Api { tenant: tenant.parse().ok()?, api: api.parse().ok()? }
        }
        ["tenants", tenant, "apis", api, "deployments", environment] => EntityPath::Deployment {
            tenant: tenant.parse().ok()?,
            api: api.parse().ok()?,
            environment: environment.parse().ok()?,
        },
        ["tenants", tenant, "applications", application] => {
            EntityPath::Application { tenant: tenant.parse().ok()?, application: application.parse().ok()? }
        }
        ["requests", environment, year, month, id] => EntityPath::PromotionRequest {
            environment: environment.parse().ok()?,
            year: number(year, 4)?,
            month: number(month, 2).filter(|month| (1..=12).contains(month))?,
            id: id.parse().ok()?,
        },
        _ => return None,
    };
    Some(path)
}

fn number<N: FromStr>(text: &str, digits: usize) -> Option<N> {
    let plain = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATHS: [&str; 11] = [
        "defaults",
        "environments/dev",
        "environments/dev/gateways/builtin",
        "plans/gold",
        "tenants/acme",
        "tenants/acme/users",
        "tenants/acme/environments/dev",
        "tenants/acme/apis/pets",
        "tenants/acme/apis/pets/deployments/dev",
        "tenants/acme/applications/shop",
        "requests/prod/2026/01/pr-2026-0001",
    ];

    #[test]
    fn a_path_is_read_as_it_is_written_and_kinds_are_in_order_of_dependence() {
        let paths: Vec<EntityPath> = PATHS.iter().map(|text| text.parse().unwrap()).collect();
        let texts: Vec<String> = paths.iter().map(ToString::to_string).collect();
        assert_eq!(texts, PATHS);
        assert!(paths.is_sorted());
        assert!(paths.iter().map(EntityPath::kind).is_sorted());
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "tenants", "tenants/Acme", "tenants/acme/apis/dev", "requests/prod/26/13/x", "a/b"] {
            assert!(text.parse::<EntityPath>().is_err(), "{text}");
        }
    }
}
