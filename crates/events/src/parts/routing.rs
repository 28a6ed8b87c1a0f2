//! What a route needs besides its document.

use serde::{Deserialize, Serialize};

/// How callers of an API prove who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// Anybody may call.
    None,
    /// A bearer token of the identity provider.
    Oauth2,
}

/// The backend behind a route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Upstream {
    /// Base address of the backend.
    pub url: String,
    /// Longest wait for an answer, in milliseconds.
    pub timeout_ms: i64,
}

/// Limits that a gateway applies to an API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policies {
    /// Calls of one caller in a minute; absent means no limit.
    pub requests_per_minute: Option<i64>,
    /// Calls that may come at once beyond the steady rate.
    pub burst: Option<i64>,
}
