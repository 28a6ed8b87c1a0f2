//! Who may be named.

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use domain::{id::derived_id, name::TenantName};
use secrecy::{ExposeSecret as _, SecretString};

/// A person.
#[derive(Clone, Debug)]
pub struct User {
    /// How the person is named.
    pub username: String,
    /// Where the person gets mail.
    pub email: String,
    /// First and last name.
    pub name: (String, String),
    /// Where the person belongs.
    pub tenant: TenantName,
    /// Realm roles, such as `tenant-admin`.
    pub roles: Vec<String>,
}

impl User {
    /// A person of `tenant` with one role; mail goes to an address that cannot exist.
    #[must_use]
    pub fn of(tenant: &TenantName, username: &str, first_name: &str, role: &str) -> Self {
        Self {
            username: username.to_owned(),
            email: format!("{username}@{tenant}.example"),
            name: (first_name.to_owned(), "Example".to_owned()),
            tenant: tenant.clone(),
            roles: vec![role.to_owned()],
        }
    }
}

/// A program.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// What it proves its id with.
    pub secret: SecretString,
    /// Where it belongs.
    pub tenant: TenantName,
    /// Realm roles of its service account.
    pub roles: Vec<String>,
    /// Scopes beside the usual ones.
    pub scopes: Vec<String>,
}

/// Where the issuer learns who may be named.
///
/// It is asked at every use, so that whoever joins or leaves does so without a restart; it may read files.
pub trait Directory: Debug + Send + Sync + 'static {
    /// Everybody, as of now.
    fn people(&self) -> Arc<People>;
}

/// People who stay the same.
impl Directory for People {
    fn people(&self) -> Arc<People> {
        Arc::new(self.clone())
    }
}

/// Everybody the issuer knows.
#[derive(Clone, Debug, Default)]
pub struct People {
    users: BTreeMap<String, User>,
    clients: BTreeMap<String, Client>,
}

impl People {
    /// With one more person.
    #[must_use]
    pub fn with_user(mut self, user: User) -> Self {
        self.users.insert(user.username.clone(), user);
        self
    }

    /// With one more program.
    #[must_use]
    pub fn with_client(mut self, client: Client) -> Self {
        self.clients.insert(client.id.clone(), client);
        self
    }

    /// The persons, by name.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    pub(super) fn user(&self, username: &str) -> Option<&User> {
        self.users.get(username)
    }

    pub(super) fn client(&self, id: &str, secret: &str) -> Option<&Client> {
        self.clients.get(id).filter(|client| {
            let known = client.secret.expose_secret().as_bytes();
            aws_lc_rs::constant_time::verify_slices_are_equal(known, secret.as_bytes()).is_ok()
        })
    }
}

/// The subject of a name: the same at every start, as tokens and records refer to it.
pub(super) fn subject(kind: &str, name: &str) -> String {
    derived_id(&["development-issuer", kind, name]).to_string()
}
