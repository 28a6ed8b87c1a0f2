//! The repository as `stoa init` writes it.

use std::collections::BTreeMap;

use domain::{
    entity::{
        Contact, Defaults, Entity, Environment, EnvironmentSettings, Gateway, GatewayKind, Plan, Policies,
        Quotas, RateLimit, Tenant, User, Users,
    },
    name::{EnvironmentName, GatewayName, TenantName},
    rbac::Role,
    variable::{Templated, VariableName, Variables},
};
use uuid::Uuid;

use crate::{document, writer::Files};

/// What differs between two installations.
#[derive(Clone, Debug)]
pub struct Initial {
    /// The domain under which everything is reached.
    pub base_domain: String,
    /// The environments, each with the address of its built-in gateway's data plane.
    pub gateways: BTreeMap<EnvironmentName, String>,
    /// The first administrator of the platform: the name to sign in with.
    pub administrator: String,
    /// The administrator's e-mail address.
    pub email: String,
    /// The id of the platform tenant.
    pub platform_uid: Uuid,
}

impl Initial {
    /// The usual three environments, whose gateways are at `address`.
    #[must_use]
    pub fn usual(base_domain: &str, address: &str, email: &str, platform_uid: Uuid) -> Self {
        let names = ["dev", "staging", "prod"];
        Self {
            base_domain: base_domain.to_owned(),
            gateways: names
                .iter()
                .filter_map(|name| Some((name.parse().ok()?, address.to_owned())))
                .collect(),
            administrator: email.split('@').next().unwrap_or_default().to_lowercase(),
            email: email.to_lowercase(),
            platform_uid,
        }
    }

    /// The files of the first commit.
    #[must_use]
    pub fn files(&self) -> Files {
        let mut files = document::files(&self.entities());
        for (path, text) in TEXTS {
            files.insert(path.to_owned(), Some(text.as_bytes().to_vec()));
        }
        files
    }

    fn entities(&self) -> Vec<Entity> {
        let mut entities = vec![Entity::Defaults(self.defaults())];
        for (environment, address) in &self.gateways {
            entities.push(Entity::Environment(environment_named(environment)));
            entities.push(Entity::Gateway(Gateway {
                environment: environment.clone(),
                name: builtin(),
                display_name: "Built-in gateway".to_owned(),
                description: format!("Serves what is deployed to {environment}, as REST and as tools."),
                kind: GatewayKind::Builtin,
                address: address.clone(),
            }));
        }
        entities.extend(plans().map(Entity::Plan));
        entities.push(Entity::Tenant(Tenant {
            name: TenantName::platform(),
            uid: self.platform_uid,
            display_name: "STOA".to_owned(),
            description: "The platform itself; its administrators act across tenants.".to_owned(),
            contact: Contact { email: self.email.clone(), ..Contact::default() },
            environments: self.gateways.keys().cloned().collect(),
            quotas: Quotas::default(),
            producers: BTreeMap::new(),
            tags: ["platform".to_owned()].into(),
        }));
        entities.push(Entity::Users(Users {
            tenant: TenantName::platform(),
            users: vec![User {
                username: self.administrator.clone(),
                email: self.email.clone(),
                roles: [Role::CpiAdmin].into(),
                first_name: "Platform".to_owned(),
                last_name: "Administrator".to_owned(),
                enabled: true,
            }],
        }));
        entities
    }

    fn defaults(&self) -> Defaults {
        let rate_limit = RateLimit {
            requests_per_minute: Templated::Template("${RATE_LIMIT_REQUESTS:100}".to_owned()),
            burst: Some(Templated::Template("${RATE_LIMIT_BURST:20}".to_owned())),
        };
        Defaults {
            variables: variables(&[
                ("BASE_DOMAIN", &self.base_domain),
                ("GATEWAY_URL", "https://gateway.${BASE_DOMAIN}"),
                ("PORTAL_URL", "https://portal.${BASE_DOMAIN}"),
                ("CONTROL_PLANE_API_URL", "https://api.${BASE_DOMAIN}"),
                ("KEYCLOAK_URL", "https://auth.${BASE_DOMAIN}"),
                ("BACKEND_TIMEOUT", "30"),
                ("BACKEND_RETRY_COUNT", "3"),
                ("RATE_LIMIT_REQUESTS", "100"),
                ("RATE_LIMIT_BURST", "20"),
                ("LOG_LEVEL", "INFO"),
            ]),
            policies: Policies { rate_limit: Some(rate_limit), ..Policies::default() },
            ..Defaults::default()
        }
    }
}

/// The name of the gateway that the platform brings, in every environment.
fn builtin() -> GatewayName {
    "builtin".parse().expect("the built-in gateway has a legal name")
}

fn variables(pairs: &[(&str, &str)]) -> Variables {
    let known = |name: &str| name.parse::<VariableName>().ok();
    pairs.iter().filter_map(|(name, value)| Some((known(name)?, (*value).to_owned()))).collect()
}

fn environment_named(name: &EnvironmentName) -> Environment {
    let (text, settings, values): (_, _, &[(&str, &str)]) = match name.as_str() {
        "dev" => (
            "Where APIs are tried; everything comes at once.",
            EnvironmentSettings {
                auto_deploy: true,
                auto_sync: true,
                require_approval: false,
                allow_untested_apis: true,
                ..EnvironmentSettings::default()
            },
            &[("BACKEND_TIMEOUT", "60"), ("RATE_LIMIT_REQUESTS", "1000"), ("LOG_LEVEL", "DEBUG")],
        ),
        "staging" => (
            "Where APIs are proved before production.",
            EnvironmentSettings {
                auto_sync: true,
                approval_roles: [Role::Devops, Role::TenantAdmin].into(),
                ..EnvironmentSettings::default()
            },
            &[("RATE_LIMIT_REQUESTS", "500")],
        ),
        _ => (
            "Where APIs are used.",
            EnvironmentSettings { require_staging_validation: true, ..EnvironmentSettings::default() },
            &[("RATE_LIMIT_REQUESTS", "100"), ("LOG_LEVEL", "WARNING")],
        ),
    };
    Environment {
        name: name.clone(),
        display_name: name.to_string(),
        description: text.to_owned(),
        variables: variables(values),
        settings,
        vault_path_prefix: Some(format!("secret/data/{name}")),
        kubernetes: None,
        alerts: BTreeMap::new(),
    }
}

fn plans() -> impl Iterator<Item = Plan> {
    let rows = [("free", 60, 1_000, false), ("standard", 600, 100_000, false), ("unlimited", 6_000, 0, true)];
    rows.into_iter().filter_map(|(name, minute, day, approval)| {
        Some(Plan {
            name: name.parse().ok()?,
            display_name: name.to_owned(),
            description: String::new(),
            requests_per_second: None,
            requests_per_minute: Some(minute),
            requests_per_day: Some(day).filter(|day| *day > 0),
            requests_per_month: None,
            burst: None,
            requires_approval: approval,
            auto_approve_roles: if approval { [Role::TenantAdmin].into() } else { [].into() },
        })
    })
}

/// Files that are no documents.
const TEXTS: [(&str, &str); 4] = [
    ("README.md", include_str!("initial/README.md")),
    ("templates/api.yaml", include_str!("initial/api.yaml")),
    ("templates/application.yaml", include_str!("initial/application.yaml")),
    ("templates/tenant.yaml", include_str!("initial/tenant.yaml")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;

    #[test]
    fn every_document_of_a_new_repository_is_read_back_as_it_was_meant() {
        let initial = Initial::usual("example.com", "http://127.0.0.1:8080", "Ada@example.com", Uuid::nil());
        for entity in initial.entities() {
            let path = Layout::path_of(&entity.path());
            let text = document::write(&entity);
            let read = document::parse(&path, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(read.entity, entity, "{text}");
        }
        assert!(initial.files().keys().any(|path| path == "environments/prod/gateways/builtin.yaml"));
    }

    #[test]
    fn a_filled_template_is_a_valid_document() {
        for (template, path) in [
            ("templates/tenant.yaml", "tenants/acme/tenant.yaml"),
            ("templates/api.yaml", "tenants/acme/apis/pets/api.yaml"),
            ("templates/application.yaml", "tenants/acme/applications/shop.yaml"),
        ] {
            let text = TEXTS.iter().find(|(path, _)| *path == template).unwrap().1;
            let text = text
                .replace("{{tenant}}", "acme")
                .replace("{{api}}", "pets")
                .replace("{{application}}", "shop")
                .replace("{{uid}}", &Uuid::nil().to_string());
            document::parse(path, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
