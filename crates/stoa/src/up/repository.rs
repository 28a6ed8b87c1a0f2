//! The repository of the desired state, as `stoa up` needs it.
//!
//! What a person changed stays: a file is written only where there is none. Two addresses are kept right, because
//! a port may have moved since: the built-in gateway's and the sample backend's.

use anyhow::{Context as _, bail};
use domain::entity::{Entity, EntityPath};
use gitops::{Author, Files, Initial, Layout, Remote, Repository, Trailers, WriteError, Writer, document};
use runtime::{Clock as _, Random as _, SystemClock, SystemRandom};
use secrecy::SecretSlice;
use url::Url;
use uuid::Uuid;

use super::{demo, home::Home, people};

/// The environment that the gateway of this machine serves.
pub(super) const ENVIRONMENT: &str = "dev";

/// The repository with what is desired.
pub(super) struct Desired {
    repository: Repository,
    writer: Writer,
    remote: String,
}

impl Desired {
    /// The repository in the data directory, made and filled at the first start.
    pub(super) async fn own(home: &Home, gateway: &Url) -> anyhow::Result<Self> {
        let folder = home.data().join("repository.git");
        if !folder.exists() {
            let beside = home.data().join("repository.git.new");
            Repository::create_remote(&beside, "main").context("making the repository")?;
            std::fs::rename(&beside, &folder).context("making the repository")?;
        }
        let desired = Self::open(home, &folder.display().to_string()).await?;
        let first = first(gateway, SystemRandom::default().id(SystemClock.now()))?;
        desired.add(first.files(), "Begin the platform's repository").await?;
        desired.follow_gateway(gateway).await?;
        Ok(desired)
    }

    /// A repository that somebody else keeps; it must have content.
    pub(super) async fn elsewhere(home: &Home, remote: &str) -> anyhow::Result<Self> {
        let desired = Self::open(home, remote).await?;
        if desired.entities().await?.is_empty() {
            bail!("`{remote}` is empty: run `stoa init {remote}` first");
        }
        Ok(desired)
    }

    async fn open(home: &Home, remote: &str) -> anyhow::Result<Self> {
        let folder = home.folder("stoa")?.join("mirror.git");
        let (url, mirror) = (remote.to_owned(), folder.clone());
        let repository =
            tokio::task::spawn_blocking(move || Repository::open_or_clone(Remote::at(url), &mirror))
                .await?
                .context("reading the repository")?;
        let key = home.secret("trailer-key")?;
        let writer = Writer::new(repository.clone(), Trailers::new(&SecretSlice::from(key.into_bytes())));
        Ok(Self { repository, writer, remote: remote.to_owned() })
    }

    /// The repository, for whoever reads on.
    pub(super) fn repository(&self) -> Repository {
        self.repository.clone()
    }

    pub(super) fn remote(&self) -> &str {
        &self.remote
    }

    /// Everything that the repository declares and that can be read.
    pub(super) async fn entities(&self) -> anyhow::Result<Vec<Entity>> {
        let repository = self.repository.clone();
        tokio::task::spawn_blocking(move || {
            let files = current(&repository)?;
            let entity = |(path, bytes): (String, Vec<u8>)| Some(document::parse(&path, &bytes).ok()?.entity);
            Ok(files.into_iter().filter_map(entity).collect())
        })
        .await?
    }

    /// Adds the files that are not there.
    pub(super) async fn add(&self, files: Files, message: &'static str) -> anyhow::Result<()> {
        self.change(message, move |present| {
            files
                .iter()
                .filter(|(path, _)| !present.contains_key(*path))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect()
        })
        .await
    }

    /// The built-in gateway answers at `address` now.
    async fn follow_gateway(&self, address: &Url) -> anyhow::Result<()> {
        let path = EntityPath::Gateway { environment: ENVIRONMENT.parse()?, gateway: "builtin".parse()? };
        let address = demo::address(address);
        self.replace("Follow the gateway's address", path, move |found| match found {
            Entity::Gateway(gateway) => {
                let moved = gateway.address != address;
                gateway.address.clone_from(&address);
                moved
            }
            _ => false,
        })
        .await
    }

    /// The sample backend answers at `address` now.
    pub(super) async fn follow_backend(&self, address: &Url) -> anyhow::Result<()> {
        let path = EntityPath::Api { tenant: demo::TENANT.parse()?, api: demo::API.parse()? };
        let address = demo::address(address);
        self.replace("Follow the sample backend's address", path, move |found| match found {
            // Somebody may have pointed the demo at a backend elsewhere.
            Entity::Api(api) if api.backend.url.starts_with("http://127.0.0.1:") => {
                let moved = api.backend.url != address;
                api.backend.url.clone_from(&address);
                moved
            }
            _ => false,
        })
        .await
    }

    /// Rewrites one entity if `alter` says that it altered it.
    async fn replace(
        &self,
        message: &'static str,
        path: EntityPath,
        alter: impl Fn(&mut Entity) -> bool + Send + 'static,
    ) -> anyhow::Result<()> {
        let file = Layout::path_of(&path);
        self.change(message, move |present| {
            let found = present.get(&file).and_then(|bytes| document::parse(&file, bytes).ok());
            let altered =
                found.map(|found| found.entity).and_then(|mut entity| alter(&mut entity).then_some(entity));
            altered
                .map(|entity| (file.clone(), Some(document::write(&entity).into_bytes())))
                .into_iter()
                .collect()
        })
        .await
    }

    async fn change(
        &self,
        message: &'static str,
        decide: impl Fn(&Present) -> Files + Send + 'static,
    ) -> anyhow::Result<()> {
        let (repository, writer) = (self.repository.clone(), self.writer.clone());
        tokio::task::spawn_blocking(move || {
            loop {
                let head = repository.fetch().context("reading the repository")?;
                let files = decide(&current(&repository)?);
                if files.is_empty() {
                    return Ok(());
                }
                let now = SystemClock.now();
                let author =
                    Author { name: "stoa up".to_owned(), email: "up@stoa.example".to_owned(), at: now };
                let request = SystemRandom::default().id(now).to_string();
                match writer.commit(head.as_ref(), &files, &author, message, &request) {
                    Ok(_) => {
                        repository.fetch().context("reading the repository")?;
                        return Ok(());
                    }
                    Err(WriteError::Conflict { .. }) => {}
                    Err(error) => return Err(error).context("writing the repository"),
                }
            }
        })
        .await?
    }
}

/// What a platform on one machine begins with: its one environment, and an administrator.
pub(super) fn first(gateway: &Url, platform_uid: Uuid) -> anyhow::Result<Initial> {
    Ok(Initial {
        base_domain: "stoa.localhost".to_owned(),
        gateways: [(ENVIRONMENT.parse()?, demo::address(gateway))].into(),
        administrator: people::FIRST.to_owned(),
        email: "admin@stoa.example".to_owned(),
        platform_uid,
    })
}

type Present = std::collections::BTreeMap<String, Vec<u8>>;

/// The files of the branch.
fn current(repository: &Repository) -> anyhow::Result<Present> {
    let Some(head) = repository.head().context("reading the repository")? else { return Ok(Present::new()) };
    let tree = repository.tree(&head).context("reading the repository")?;
    tree.iter()
        .map(|(path, blob)| Ok((path.clone(), repository.read(blob).context("reading the repository")?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn address_of_the_gateway(desired: &Desired) -> String {
        let entities = desired.entities().await.unwrap();
        let gateway = entities.into_iter().find_map(|entity| match entity {
            Entity::Gateway(gateway) => Some(gateway.address),
            _ => None,
        });
        gateway.unwrap()
    }

    #[tokio::test]
    async fn what_a_person_changed_stays_and_addresses_follow() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::open(directory.path()).unwrap();
        let url = |port: u16| -> Url { format!("http://127.0.0.1:{port}").parse().unwrap() };
        let first = Desired::own(&home, &url(8080)).await.unwrap();
        first.add(demo::files(&url(8090)).unwrap(), "Add the demo tenant").await.unwrap();
        let head = first.repository.head().unwrap();

        let again = Desired::own(&home, &url(8080)).await.unwrap();
        again.add(demo::files(&url(8090)).unwrap(), "Add the demo tenant").await.unwrap();
        assert_eq!(again.repository.head().unwrap(), head, "nothing changed, so nothing is committed");

        let moved = Desired::own(&home, &url(8085)).await.unwrap();
        assert_eq!(address_of_the_gateway(&moved).await, "http://127.0.0.1:8085");
        moved.follow_backend(&url(8099)).await.unwrap();
        let backends: Vec<String> = moved
            .entities()
            .await
            .unwrap()
            .into_iter()
            .filter_map(|entity| match entity {
                Entity::Api(api) => Some(api.backend.url),
                _ => None,
            })
            .collect();
        assert_eq!(backends, ["http://127.0.0.1:8099"]);
    }

    #[tokio::test]
    async fn who_joins_is_known_at_once_and_a_broken_file_changes_nobody() {
        use super::super::people::Declared;
        use devstack::issuer::Directory as _;

        let directory = tempfile::tempdir().unwrap();
        let home = Home::open(directory.path()).unwrap();
        let url = |port: u16| -> Url { format!("http://127.0.0.1:{port}").parse().unwrap() };
        let desired = Desired::own(&home, &url(8080)).await.unwrap();
        let declared = Declared::by(desired.repository(), &home).unwrap();
        let names = || declared.people().users().map(|user| user.username.clone()).collect::<Vec<_>>();
        assert_eq!(names(), ["admin"]);

        desired.add(demo::files(&url(8090)).unwrap(), "Add the demo tenant").await.unwrap();
        assert_eq!(names(), ["ada", "admin", "dan", "vera"]);

        let users = "tenants/demo/users.yaml";
        let write = async |text: Option<&str>| {
            let file: Files = [(users.to_owned(), text.map(|text| text.as_bytes().to_vec()))].into();
            desired
                .change("Change the users", move |present| {
                    let same = present.get(users) == file[users].as_ref();
                    if same { Files::new() } else { file.clone() }
                })
                .await
                .unwrap();
        };
        write(Some("users: [")).await;
        assert_eq!(names(), ["ada", "admin", "dan", "vera"]);
        write(None).await;
        assert_eq!(names(), ["admin"]);
    }

    #[tokio::test]
    async fn an_empty_repository_elsewhere_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::open(&directory.path().join("data")).unwrap();
        let remote = directory.path().join("theirs.git");
        Repository::create_remote(&remote, "main").unwrap();
        let refused = Desired::elsewhere(&home, &remote.display().to_string()).await.map(|_| ()).unwrap_err();
        assert!(refused.to_string().contains("stoa init"), "{refused}");
    }
}
