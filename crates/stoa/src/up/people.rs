//! Whom the token issuer knows: the users that Git declares now, and a pipeline of the demo tenant.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use devstack::issuer::{Client, Directory, People, User};
use domain::{
    entity::{Entity, Users},
    id::CommitId,
};
use gitops::{Repository, document};
use secrecy::SecretString;
use tracing::warn;

use super::{demo, home::Home};

/// The administrator of the platform tenant, for whom tokens are made when nobody signed in.
pub(super) const FIRST: &str = "admin";

/// The people of the repository's head, so that whoever joins or leaves does so without a restart.
#[derive(Debug)]
pub(super) struct Declared {
    repository: Repository,
    pipeline: SecretString,
    newest: Mutex<Newest>,
}

#[derive(Debug, Default)]
struct Newest {
    head: Option<CommitId>,
    users: BTreeMap<String, Users>,
    people: Arc<People>,
}

impl Declared {
    pub(super) fn by(repository: Repository, home: &Home) -> anyhow::Result<Self> {
        Ok(Self { repository, pipeline: home.secret("pipeline")?.into(), newest: Mutex::default() })
    }

    /// Reads what changed since the last look.
    fn look(&self, newest: &mut Newest) -> Result<(), gitops::repository::Error> {
        let head = self.repository.fetch()?;
        let Some(to) = head.as_ref().filter(|_| head != newest.head) else { return Ok(()) };
        for change in self.repository.changes(newest.head.as_ref(), to)? {
            if !change.path.ends_with("/users.yaml") {
                continue;
            }
            let Some(blob) = change.after else {
                newest.users.remove(&change.path);
                continue;
            };
            let parsed = document::parse(&change.path, &self.repository.read(&blob)?);
            if let Ok(Entity::Users(users)) = parsed.map(|parsed| parsed.entity) {
                newest.users.insert(change.path, users);
            } else {
                // The last valid state stays.
                warn!(path = change.path, "The users in `{}` cannot be read", change.path);
            }
        }
        newest.people = Arc::new(self.people_among(newest.users.values()));
        newest.head = head;
        Ok(())
    }

    fn people_among<'a>(&self, declared: impl Iterator<Item = &'a Users>) -> People {
        let mut people = People::default();
        for users in declared {
            for user in users.users.iter().filter(|user| user.enabled) {
                people = people.with_user(User {
                    username: user.username.clone(),
                    email: user.email.clone(),
                    name: (user.first_name.clone(), user.last_name.clone()),
                    tenant: users.tenant.clone(),
                    roles: user.roles.iter().map(ToString::to_string).collect(),
                });
            }
            if users.tenant.as_str() == demo::TENANT {
                people = people.with_client(Client {
                    id: "pipeline".to_owned(),
                    secret: self.pipeline.clone(),
                    tenant: users.tenant.clone(),
                    roles: vec!["devops".to_owned()],
                    scopes: Vec::new(),
                });
            }
        }
        people
    }
}

impl Directory for Declared {
    fn people(&self) -> Arc<People> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.look(&mut newest) {
            warn!(error = runtime::chain(&error), "People stay as they were: the repository cannot be read");
        }
        Arc::clone(&newest.people)
    }
}
