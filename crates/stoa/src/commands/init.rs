//! The first content of a repository.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Context as _, bail};
use domain::{
    entity::{
        Contact, Defaults, Entity, Environment, EnvironmentSettings, Gateway, GatewayKind, Quotas, Tenant,
        User, Users,
    },
    name::{EnvironmentName, GatewayName, TenantName},
    rbac::Role,
};
use gitops::{Author, Files, Layout, Remote, Repository, Trailers, Writer, document};
use runtime::{Clock, Random, SystemClock, SystemRandom};
use secrecy::SecretSlice;
use url::Url;

use crate::{cli::Init, output};

pub(super) async fn run(arguments: Init) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(move || init(&arguments)).await.context("writing the repository")?
}

fn init(arguments: &Init) -> anyhow::Result<()> {
    let remote = Remote::at(&arguments.remote);
    if !arguments.remote.contains("://") && !Path::new(&arguments.remote).exists() {
        Repository::create_remote(Path::new(&arguments.remote), &remote.branch)
            .context("making the repository")?;
    }
    let mirror = tempfile::tempdir().context("making a folder for the mirror")?;
    let repository = Repository::open_or_clone(remote, mirror.path()).context("reading the repository")?;
    if repository.head().context("reading the repository")?.is_some() {
        bail!("`{}` has content already", arguments.remote);
    }
    let (clock, random) = (SystemClock, SystemRandom::default());
    let files = first_files(&arguments.admin, &arguments.email, &arguments.gateway, &clock, &random)?;
    // Nobody asks later whether this commit was the platform's own, so the key may be forgotten.
    let trailers = Trailers::new(&SecretSlice::from(random.bits().to_be_bytes().repeat(4)));
    let author = Author { name: arguments.admin.clone(), email: arguments.email.clone(), at: clock.now() };
    let commit = Writer::new(repository, trailers)
        .commit(None, &files, &author, "Begin the platform's repository", "init")
        .context("writing the repository")?;
    output::line(&format!("{} files in commit {commit}", files.len()))
}

/// The files that a platform begins with: defaults, the environment `dev` with the built-in gateway, and the
/// platform tenant with its first administrator.
pub(crate) fn first_files(
    admin: &str,
    email: &str,
    gateway: &Url,
    clock: &dyn Clock,
    random: &dyn Random,
) -> anyhow::Result<Files> {
    let dev: EnvironmentName = "dev".parse()?;
    let platform = TenantName::platform();
    let administrator = User {
        username: admin.to_owned(),
        email: email.to_lowercase(),
        roles: BTreeSet::from([Role::CpiAdmin]),
        first_name: "First".to_owned(),
        last_name: "Administrator".to_owned(),
        enabled: true,
    };
    let entities = [
        Entity::Defaults(Defaults::default()),
        Entity::Environment(Environment {
            name: dev.clone(),
            display_name: "Development".to_owned(),
            description: "What is new comes here first".to_owned(),
            variables: BTreeMap::new(),
            settings: EnvironmentSettings {
                auto_deploy: true,
                auto_sync: true,
                require_approval: false,
                allow_untested_apis: true,
                ..EnvironmentSettings::default()
            },
            vault_path_prefix: None,
            kubernetes: None,
            alerts: BTreeMap::new(),
        }),
        builtin_gateway(&dev, gateway)?,
        Entity::Tenant(Tenant {
            name: platform.clone(),
            uid: random.id(clock.now()),
            display_name: "STOA".to_owned(),
            description: "The platform itself".to_owned(),
            contact: Contact::default(),
            environments: BTreeSet::from([dev]),
            quotas: Quotas::default(),
            producers: BTreeMap::new(),
            tags: BTreeSet::new(),
        }),
        Entity::Users(Users { tenant: platform, users: vec![administrator] }),
    ];
    Ok(files_of(&entities))
}

/// The built-in gateway of an environment.
pub(crate) fn builtin_gateway(environment: &EnvironmentName, address: &Url) -> anyhow::Result<Entity> {
    let name: GatewayName = "builtin".parse()?;
    Ok(Entity::Gateway(Gateway {
        environment: environment.clone(),
        name,
        display_name: "Built-in gateway".to_owned(),
        description: String::new(),
        kind: GatewayKind::Builtin,
        address: address.as_str().trim_end_matches('/').to_owned(),
    }))
}

/// Each entity's file, where the layout puts it.
pub(crate) fn files_of(entities: &[Entity]) -> Files {
    let file =
        |entity: &Entity| (Layout::path_of(&entity.path()), Some(document::write(entity).into_bytes()));
    entities.iter().map(file).collect()
}

#[cfg(test)]
mod tests {
    use runtime::testing::{FixedClock, FixedRandom};

    use super::*;

    #[test]
    fn the_first_files_are_valid() {
        let clock = FixedClock::parse("2026-03-01T12:00:00Z");
        let gateway = "http://127.0.0.1:8080".parse().unwrap();
        let files =
            first_files("admin", "admin@stoa.example", &gateway, &clock, &FixedRandom::new(1)).unwrap();
        let paths: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            [
                "_defaults.yaml",
                "environments/dev/config.yaml",
                "environments/dev/gateways/builtin.yaml",
                "tenants/stoa/tenant.yaml",
                "tenants/stoa/users.yaml",
            ]
        );
        let problems = crate::commands::validate::problems(
            files.into_iter().filter_map(|(path, content)| Some((path, content?))).collect(),
        );
        assert_eq!(problems.unwrap(), []);
    }
}
