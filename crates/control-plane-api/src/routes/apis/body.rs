//! What bodies say about an API.

use std::collections::BTreeSet;

use domain::entity::{Authentication, RateLimit};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::{Kind, Problem};

/// How callers of the API prove who they are.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthenticationBody {
    r#type: AuthenticationType,
    #[serde(default)]
    scopes: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum AuthenticationType {
    None,
    OAuth2,
}

impl From<AuthenticationBody> for Authentication {
    fn from(body: AuthenticationBody) -> Self {
        match body.r#type {
            AuthenticationType::None => Self::None,
            AuthenticationType::OAuth2 => Self::OAuth2 { scopes: body.scopes },
        }
    }
}

impl From<&Authentication> for AuthenticationBody {
    fn from(authentication: &Authentication) -> Self {
        match authentication {
            Authentication::None => Self { r#type: AuthenticationType::None, scopes: BTreeSet::new() },
            Authentication::OAuth2 { scopes } => {
                Self { r#type: AuthenticationType::OAuth2, scopes: scopes.clone() }
            }
        }
    }
}

/// How much one caller may call.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateLimitBody {
    requests_per_minute: u32,
    burst: Option<u32>,
}

impl From<RateLimitBody> for RateLimit {
    fn from(body: RateLimitBody) -> Self {
        Self { requests_per_minute: body.requests_per_minute.into(), burst: body.burst.map(Into::into) }
    }
}

/// The text of a document that a body carries, as text or as an object.
pub(super) fn document(value: Value) -> Result<Vec<u8>, Problem> {
    match value {
        Value::String(text) => Ok(text.into_bytes()),
        Value::Object(_) => serde_json::to_vec_pretty(&value).map_err(|error| Problem::internal(&error)),
        _ => {
            let detail = "the document is a text (JSON or YAML) or an object";
            Err(Problem::new(Kind::InvalidBody, detail).member("field", "openapi"))
        }
    }
}
