//! Whom the token issuer knows: the users that Git declares, and a pipeline of the demo tenant.

use devstack::issuer::{Client, People, User};
use domain::entity::Entity;

use super::{demo, home::Home};

/// The administrator of the platform tenant, for whom tokens are made when nobody signed in.
pub(super) const FIRST: &str = "admin";

/// The people among `entities`.
pub(super) fn of(entities: &[Entity], home: &Home) -> anyhow::Result<People> {
    let mut people = People::default();
    for entity in entities {
        let Entity::Users(users) = entity else { continue };
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
                secret: home.secret("pipeline")?.into(),
                tenant: users.tenant.clone(),
                roles: vec!["devops".to_owned()],
                scopes: Vec::new(),
            });
        }
    }
    Ok(people)
}
