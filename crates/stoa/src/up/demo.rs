//! The demo tenant: three people and one API, deployed in `dev`.

use std::collections::{BTreeMap, BTreeSet};

use devstack::petstore;
use domain::{
    entity::{
        Api, Authentication, Backend, Contact, Content, Deployment, DeploymentState, Entity, GatewayOptions,
        Policies, Quotas, Tenant, User, Users,
    },
    id::derived_id,
    name::{ApiName, EnvironmentName, TenantName},
    rbac::Role,
};
use gitops::{Files, Layout, document};
use url::Url;

use super::repository::ENVIRONMENT;

/// The names of the demo.
pub(super) const TENANT: &str = "demo";
pub(super) const API: &str = "petstore";

/// The files of the demo, with its backend at `backend`.
pub(super) fn files(backend: &Url) -> anyhow::Result<Files> {
    let tenant: TenantName = TENANT.parse()?;
    let api: ApiName = API.parse()?;
    let dev: EnvironmentName = ENVIRONMENT.parse()?;
    let user = |username: &str, first_name: &str, role| User {
        username: username.to_owned(),
        email: format!("{username}@demo.example"),
        roles: BTreeSet::from([role]),
        first_name: first_name.to_owned(),
        last_name: "Example".to_owned(),
        enabled: true,
    };
    let entities = [
        Entity::Tenant(Tenant {
            name: tenant.clone(),
            uid: derived_id(&["demo", "tenant"]),
            display_name: "Demo".to_owned(),
            description: "What to try first".to_owned(),
            contact: Contact::default(),
            environments: BTreeSet::from([dev.clone()]),
            quotas: Quotas::default(),
            producers: BTreeMap::new(),
            tags: BTreeSet::new(),
        }),
        Entity::Users(Users {
            tenant: tenant.clone(),
            users: vec![
                user("ada", "Ada", Role::TenantAdmin),
                user("dan", "Dan", Role::Devops),
                user("vera", "Vera", Role::Viewer),
            ],
        }),
        Entity::Api(Api {
            tenant: tenant.clone(),
            name: api.clone(),
            uid: derived_id(&["demo", "petstore"]),
            display_name: "Pet Store".to_owned(),
            version: "1.2.0".to_owned(),
            description: "A small shop for pets, with state".to_owned(),
            category: "samples".to_owned(),
            tags: BTreeSet::from(["pets".to_owned(), "portal:published".to_owned()]),
            backend: Backend::at(address(backend)),
            authentication: Authentication::default(),
            policies: Policies::default(),
            gateway: GatewayOptions::default(),
        }),
        Entity::Deployment(Deployment {
            tenant: tenant.clone(),
            api: api.clone(),
            environment: dev,
            content: Content::FollowHead,
            gateways: BTreeSet::from(["builtin".parse()?]),
            state: DeploymentState::Deployed,
        }),
    ];
    let mut files = document::files(&entities);
    let openapi = Layout::openapi_path(&tenant, &api, false);
    files.insert(openapi, Some(petstore::OPENAPI.as_bytes().to_vec()));
    Ok(files)
}

/// An address as documents have it, without the slash that parsing adds.
pub(super) fn address(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_valid_beside_the_first_files() {
        let url = "http://127.0.0.1:8080".parse().unwrap();
        let mut all = super::super::repository::first(&url, uuid::Uuid::nil()).unwrap().files();
        all.extend(files(&url).unwrap());
        let all = all.into_iter().filter_map(|(path, content)| Some((path, content?))).collect();
        assert_eq!(crate::commands::problems(all, None).unwrap(), []);
    }
}
