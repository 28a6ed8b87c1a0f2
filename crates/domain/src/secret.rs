//! References to secrets: what documents and records hold instead of a secret.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a secret is kept, written `vault:{path}#{key}`; path and key may hold `${VARIABLES}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^vault:[^#\s]+#\S+$"))]
pub struct SecretReference {
    path: String,
    key: String,
}

impl SecretReference {
    /// The path in the vault.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The key of the secret at that path.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Why a text is no reference to a secret. The text is not repeated: it may be the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret is given as a reference `vault:path#key`, never as itself")]
pub struct SecretReferenceError;

impl FromStr for SecretReference {
    type Err = SecretReferenceError;

    fn from_str(text: &str) -> Result<Self, SecretReferenceError> {
        let (path, key) = text
            .strip_prefix("vault:")
            .and_then(|rest| rest.rsplit_once('#'))
            .filter(|(path, key)| !path.is_empty() && !key.is_empty() && text.len() <= 1024)
            .ok_or(SecretReferenceError)?;
        let climbs = path.split('/').any(|part| part == ".." || part == ".");
        if climbs || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(SecretReferenceError);
        }
        Ok(Self { path: path.to_owned(), key: key.to_owned() })
    }
}

impl TryFrom<String> for SecretReference {
    type Error = SecretReferenceError;

    fn try_from(text: String) -> Result<Self, SecretReferenceError> {
        text.parse()
    }
}

impl From<SecretReference> for String {
    fn from(reference: SecretReference) -> Self {
        reference.to_string()
    }
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vault:{}#{}", self.path, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_as_it_is_written() {
        let text = "vault:secret/data/acme/gateway#password";
        let reference: SecretReference = text.parse().unwrap();
        assert_eq!((reference.path(), reference.key()), ("secret/data/acme/gateway", "password"));
        assert_eq!(reference.to_string(), text);
    }

    #[test]
    fn a_secret_itself_is_refused_and_not_repeated() {
        for text in ["hunter2", "vault:#key", "vault:path", "vault:a/../b#k", "vault:a b#k"] {
            let error = text.parse::<SecretReference>().unwrap_err().to_string();
            assert!(!error.contains("hunter2"));
        }
    }
}
