//! A tenant: who owns APIs, where they may run, how many there may be.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::name::{EnvironmentName, TenantName};

/// An organisation, or a part of one, that owns APIs.
#[derive(Clone, Debug, PartialEq)]
pub struct Tenant {
    /// The name; also the folder.
    pub name: TenantName,
    /// The immutable id.
    pub uid: Uuid,
    /// The name for people.
    pub display_name: String,
    /// What it is, for people.
    pub description: String,
    /// Whom to ask.
    pub contact: Contact,
    /// Where its APIs may be deployed.
    pub environments: BTreeSet<EnvironmentName>,
    /// How much it may have.
    pub quotas: Quotas,
    /// Producers outside the platform that may send requests for this tenant, by name.
    pub producers: BTreeMap<String, Producer>,
    /// Free words for search.
    pub tags: BTreeSet<String>,
}

/// Whom to ask about something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is its own name")]
pub struct Contact {
    pub name: String,
    pub email: String,
    pub phone: String,
    pub team: String,
}

/// How much a tenant may have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is its own name")]
pub struct Quotas {
    pub apis: u32,
    pub applications: u32,
    pub users_per_role: u32,
    pub requests_per_day: u64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { apis: 100, applications: 50, users_per_role: 20, requests_per_day: 1_000_000 }
    }
}

/// A producer outside the platform: how its requests are verified, and what they may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// The `kid` in the signature's header.
    pub key_id: String,
    /// The key that verifies its signatures.
    pub public_key: PublicKey,
    /// What it may ask for.
    pub operations: BTreeSet<Operation>,
}

/// Something that a request topic can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each variant is its own name")]
pub enum Operation {
    Deploy,
    Undeploy,
    Rollback,
    Sync,
    SyncGateway,
    SyncAliases,
    RotateCredentials,
    RegisterApi,
    ProvisionTenant,
    SyncIdentities,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 10] = [
        Self::Deploy,
        Self::Undeploy,
        Self::Rollback,
        Self::Sync,
        Self::SyncGateway,
        Self::SyncAliases,
        Self::RotateCredentials,
        Self::RegisterApi,
        Self::ProvisionTenant,
        Self::SyncIdentities,
    ];

    /// The operation's name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Undeploy => "undeploy",
            Self::Rollback => "rollback",
            Self::Sync => "sync",
            Self::SyncGateway => "sync-gateway",
            Self::SyncAliases => "sync-aliases",
            Self::RotateCredentials => "rotate-credentials",
            Self::RegisterApi => "register-api",
            Self::ProvisionTenant => "provision-tenant",
            Self::SyncIdentities => "sync-identities",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An Ed25519 public key; its text is a JWK's `x`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^[A-Za-z0-9_-]{43}$"))]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The 32 bytes of the key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for PublicKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Why a text is no public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an Ed25519 public key is 32 bytes in base64url without padding, as in a JWK's `x`")]
pub struct PublicKeyError;

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| PublicKeyError)?;
        bytes.try_into().map(Self).map_err(|_| PublicKeyError)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = PublicKeyError;

    fn try_from(text: String) -> Result<Self, PublicKeyError> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_is_written_as_a_jwk_has_it() {
        // The public key of RFC 8037, appendix A.2.
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(x.parse::<PublicKey>().unwrap().to_string(), x);
        assert_eq!("11qY".parse::<PublicKey>(), Err(PublicKeyError));
    }
}
