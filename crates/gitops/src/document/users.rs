//! `kind: Users`.

use std::collections::{BTreeSet, HashSet};

use domain::{
    entity::{Entity, EntityPath, Kind, User, Users},
    rbac::Role,
};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    Form,
    envelope::{self, Context, Metadata, Read},
    value::{Retired, is_default},
};

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UsersForm {
    /// Its people.
    #[serde(default)]
    users: Vec<UserForm>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UserForm {
    /// Name to sign in with; the e-mail address up to the @ if nothing is said.
    #[serde(default)]
    username: Option<String>,
    /// E-mail address; it belongs to one tenant.
    email: String,
    /// What they may do.
    #[serde(default = "viewer")]
    roles: BTreeSet<RoleName>,
    /// First name.
    #[serde(default, alias = "first_name", skip_serializing_if = "is_default")]
    first_name: String,
    /// Last name.
    #[serde(default, alias = "last_name", skip_serializing_if = "is_default")]
    last_name: String,
    /// Whether they may sign in.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    enabled: bool,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    password: Option<Retired>,
    #[serde(default, alias = "temporary_password", skip_serializing)]
    #[schemars(skip)]
    temporary_password: Option<Retired>,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_yes(enabled: &bool) -> bool {
    *enabled
}

fn viewer() -> BTreeSet<RoleName> {
    BTreeSet::from([RoleName(Role::Viewer)])
}

/// A role, by any of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(transparent)]
pub(super) struct RoleName(pub(super) Role);

impl<'de> Deserialize<'de> for RoleName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl Serialize for RoleName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

pub(super) fn schema() -> Schema {
    envelope::schema::<UsersForm>(Kind::Users)
}

pub(super) fn read(context: &Context<'_>) -> Read {
    let EntityPath::Users { tenant } = context.path else { unreachable!("the path says the kind") };
    let (forms, prefix) = if context.form == Form::Flat {
        (context.source.decode::<UsersForm>()?, "users")
    } else {
        (context.envelope::<UsersForm>()?.spec, "spec.users")
    };
    let mut ignored = Vec::new();
    let mut users = Vec::new();
    let (mut emails, mut usernames) = (HashSet::new(), HashSet::new());
    for (index, form) in forms.users.into_iter().enumerate() {
        let field = |name: &str| format!("{prefix}[{index}].{name}");
        let email = form.email.trim().to_lowercase();
        let (local, host) = email.split_once('@').unwrap_or_default();
        if local.is_empty() || host.is_empty() || email.contains(char::is_whitespace) {
            return Err(context.source.at(&field("email"), format!("`{}` is no e-mail address", form.email)));
        }
        let username = form.username.unwrap_or_else(|| email.clone());
        if !emails.insert(email.clone()) {
            return Err(context.source.at(&field("email"), format!("`{email}` is there twice")));
        }
        if !usernames.insert(username.clone()) {
            return Err(context.source.at(&field("username"), format!("`{username}` is there twice")));
        }
        if form.password.is_some() {
            if context.form == Form::Current {
                return Err(context.source.at(&field("password"), "a password does not belong into Git"));
            }
            ignored.push("users.password");
        }
        if form.temporary_password.is_some() {
            ignored.push("users.temporaryPassword");
        }
        users.push(User {
            username,
            email,
            roles: form.roles.iter().map(|role| role.0).collect(),
            first_name: form.first_name,
            last_name: form.last_name,
            enabled: form.enabled,
        });
    }
    ignored.dedup();
    Ok((Entity::Users(Users { tenant: tenant.clone(), users }), ignored))
}

pub(super) fn write(users: &Users) -> String {
    let metadata = Metadata { tenant: Some(users.tenant.to_string()), ..Metadata::default() };
    let forms = users.users.iter().map(|user| UserForm {
        username: Some(user.username.clone()),
        email: user.email.clone(),
        roles: user.roles.iter().copied().map(RoleName).collect(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        enabled: user.enabled,
        password: None,
        temporary_password: None,
    });
    envelope::write(Kind::Users, metadata, UsersForm { users: forms.collect() })
}
