//! A token issuer for development: signs what it is asked to, for callers of this machine only.
//!
//! `stoa up --light` signs in with it instead of Keycloak. Its tokens carry Keycloak's claims, so that services
//! see no difference. It has no passwords: whoever runs programs on this machine as this user may be anybody on
//! this platform, which is why it refuses to listen on anything but loopback.

mod claims;
mod device;
mod entropy;
mod handlers;
mod key;
mod page;
mod people;
mod service;
mod sessions;

pub use self::{
    entropy::{Entropy, SystemEntropy},
    key::{Key, KeyError},
    people::{Client, Directory, People, User},
    service::Issuer,
    sessions::Sessions,
};

/// The client that people sign in with; it has no secret.
pub const PEOPLES_CLIENT: &str = "stoa-cli";

/// The grant that names a user: `grant_type=…&username=ada`.
pub const DEVELOPMENT_GRANT: &str = "urn:stoa:params:oauth:grant-type:development";

/// The grant of a sign-in that a person confirms in a browser (RFC 8628).
pub const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// How long a token is good for: a working day, so that `$(stoa token)` need not be repeated.
pub const TOKEN_LIFETIME: std::time::Duration = std::time::Duration::from_hours(12);
