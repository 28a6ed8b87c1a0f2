//! What a token says; names and places are Keycloak's.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{
    PEOPLES_CLIENT, TOKEN_LIFETIME,
    people::{Client, User, subject},
};

/// Who may take the tokens.
const AUDIENCE: [&str; 2] = ["control-plane-api", "mcp-gateway"];

#[derive(Debug, Serialize)]
pub(super) struct Claims {
    exp: i64,
    iat: i64,
    jti: Uuid,
    iss: String,
    aud: [&'static str; 2],
    sub: String,
    typ: &'static str,
    azp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    realm_access: RealmAccess,
    pub scope: String,
    preferred_username: String,
    tenant_id: String,
    #[serde(flatten)]
    person: Option<Person>,
}

#[derive(Debug, Serialize)]
struct RealmAccess {
    roles: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Person {
    email: String,
    email_verified: bool,
    name: String,
    given_name: String,
    family_name: String,
}

/// What every token of one answer shares.
pub(super) struct Issue<'a> {
    pub issuer: &'a str,
    pub now: Timestamp,
    pub id: Uuid,
}

impl Issue<'_> {
    pub(super) fn to_user(&self, user: &User) -> Claims {
        let (given_name, family_name) = user.name.clone();
        let person = Person {
            email: user.email.clone(),
            email_verified: true,
            name: format!("{given_name} {family_name}"),
            given_name,
            family_name,
        };
        Claims {
            preferred_username: user.username.clone(),
            person: Some(person),
            ..self.claims(
                subject("user", &user.username),
                PEOPLES_CLIENT,
                user.tenant.as_str(),
                &user.roles,
                &["openid", "profile", "email"],
            )
        }
    }

    pub(super) fn to_client(&self, client: &Client) -> Claims {
        let scopes: Vec<&str> =
            ["profile", "email"].into_iter().chain(client.scopes.iter().map(String::as_str)).collect();
        Claims {
            preferred_username: format!("service-account-{}", client.id),
            client_id: Some(client.id.clone()),
            ..self.claims(
                subject("client", &client.id),
                &client.id,
                client.tenant.as_str(),
                &client.roles,
                &scopes,
            )
        }
    }

    fn claims(&self, sub: String, azp: &str, tenant: &str, roles: &[String], scopes: &[&str]) -> Claims {
        let iat = self.now.as_second();
        let lifetime = i64::try_from(TOKEN_LIFETIME.as_secs()).unwrap_or(i64::MAX);
        Claims {
            exp: iat.saturating_add(lifetime),
            iat,
            jti: self.id,
            iss: self.issuer.to_owned(),
            aud: AUDIENCE,
            sub,
            typ: "Bearer",
            azp: azp.to_owned(),
            client_id: None,
            realm_access: RealmAccess { roles: roles.to_vec() },
            scope: scopes.join(" "),
            preferred_username: String::new(),
            tenant_id: tenant.to_owned(),
            person: None,
        }
    }
}
