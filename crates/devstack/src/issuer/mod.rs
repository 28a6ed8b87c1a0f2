//! A token issuer for development: signs what it is asked to, for callers of this machine only.
//!
//! `stoa up --light` signs in with it instead of Keycloak. Its tokens carry Keycloak's claims, so that services
//! see no difference. It has no passwords: whoever runs programs on this machine as this user may be anybody on
//! this platform, which is why it refuses to listen on anything but loopback.

mod claims;
mod handlers;
mod key;
mod people;
mod service;

pub use self::{
    key::{Key, KeyError},
    people::{Client, People, User},
    service::Issuer,
};

/// The grant that names a user: `grant_type=…&username=ada`.
pub const DEVELOPMENT_GRANT: &str = "urn:stoa:params:oauth:grant-type:development";

/// How long a token is good for: a working day, so that `$(stoa token)` need not be repeated.
pub const TOKEN_LIFETIME: std::time::Duration = std::time::Duration::from_hours(12);
