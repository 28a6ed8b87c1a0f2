//! The claims of an access token, and the principal that they describe.

use domain::rbac::{Principal, Role};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::AuthError;

/// The claims that are looked at; issuer and audience are checked while the signature is.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    sub: String,
    exp: f64,
    nbf: Option<f64>,
    typ: Option<String>,
    cnf: Option<Value>,
    preferred_username: Option<String>,
    email: Option<String>,
    #[serde(default)]
    realm_access: RealmAccess,
    tenant_id: Option<OneOrMany>,
    scope: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct RealmAccess {
    #[serde(default)]
    roles: Vec<String>,
}

/// Keycloak writes a user's attribute as a text or as a list of one, depending on the mapper.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Claims {
    /// Whether the token is valid at `now`; gives the moment when it ends.
    pub(super) fn check_time(&self, now: Timestamp, leeway: f64) -> Result<Timestamp, AuthError> {
        let seconds = now.as_duration().as_secs_f64();
        if seconds >= self.exp + leeway {
            return Err(AuthError::Expired);
        }
        if self.nbf.is_some_and(|nbf| seconds < nbf - leeway) {
            return Err(AuthError::Early);
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a cast saturates, and so does the time after it"
        )]
        let end = self.exp as i64;
        Ok(Timestamp::from_second(end).unwrap_or(Timestamp::MAX))
    }

    /// Whether it is an access token that its bearer may use as it is.
    pub(super) fn check_use(&self) -> Result<(), AuthError> {
        if self.typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("bearer")) {
            return Err(AuthError::Claim("is not an access token"));
        }
        // Bound to a key or a certificate, of which the request brings no proof that is checked here.
        if self.cnf.is_some() {
            return Err(AuthError::Claim("is bound to a key, which is not supported"));
        }
        Ok(())
    }

    pub(super) fn into_principal(self) -> Result<Principal, AuthError> {
        if self.sub.is_empty() {
            return Err(AuthError::Claim("has no subject"));
        }
        let tenant = match self.tenant_id {
            None => None,
            Some(OneOrMany::One(name)) => Some(name),
            Some(OneOrMany::Many(names)) if names.len() > 1 => {
                return Err(AuthError::Claim("names several tenants"));
            }
            Some(OneOrMany::Many(names)) => names.into_iter().next(),
        };
        let named =
            |name: String| name.parse().map_err(|_| AuthError::Claim("names a tenant that cannot exist"));
        let tenant = tenant.filter(|name| !name.is_empty()).map(named).transpose()?;
        Ok(Principal {
            username: self.preferred_username.unwrap_or_else(|| self.sub.clone()),
            subject: self.sub,
            email: self.email,
            tenant,
            roles: self.realm_access.roles.iter().filter_map(|role| role.parse::<Role>().ok()).collect(),
            scopes: self.scope.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(more: &Value) -> Claims {
        let mut claims = json!({ "sub": "5f1c", "exp": 2_000_000_000 });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(claims).unwrap()
    }

    #[test]
    fn claims_as_keycloak_writes_them_make_a_principal() {
        let principal = claims(&json!({
            "typ": "Bearer",
            "preferred_username": "ada",
            "email": "ada@acme.example",
            "realm_access": { "roles": ["devops", "offline_access", "tenant-admin"] },
            "tenant_id": ["acme"],
            "scope": "openid  stoa:read",
        }))
        .into_principal()
        .unwrap();
        assert_eq!(
            principal,
            Principal {
                subject: "5f1c".to_owned(),
                username: "ada".to_owned(),
                email: Some("ada@acme.example".to_owned()),
                tenant: Some("acme".parse().unwrap()),
                roles: [Role::TenantAdmin, Role::Devops].into(),
                scopes: ["openid".to_owned(), "stoa:read".to_owned()].into(),
            }
        );
    }

    #[test]
    fn a_tenant_is_one_valid_name_or_none() {
        for none in [json!({}), json!({ "tenant_id": "" }), json!({ "tenant_id": [] })] {
            assert_eq!(claims(&none).into_principal().unwrap().tenant, None);
        }
        for wrong in [json!({ "tenant_id": ["acme", "other"] }), json!({ "tenant_id": "../acme" })] {
            assert!(matches!(claims(&wrong).into_principal(), Err(AuthError::Claim(_))), "{wrong}");
        }
    }

    #[test]
    fn only_plain_access_tokens_pass() {
        assert!(claims(&json!({})).check_use().is_ok());
        for wrong in [json!({ "typ": "ID" }), json!({ "typ": "Refresh" }), json!({ "cnf": { "jkt": "x" } })] {
            assert!(matches!(claims(&wrong).check_use(), Err(AuthError::Claim(_))), "{wrong}");
        }
    }
}
