//! Who calls, and whether he may.

mod claims;
mod discovery;
mod error;
mod extract;
mod keys;
mod memory;
pub mod permission;
mod settings;
mod verifier;

pub use self::{
    error::{AuthError, challenge},
    extract::{Authenticated, Authorized, AuthorizedAnywhere},
    permission::Requires,
    settings::OidcSettings,
    verifier::Verifier,
};
