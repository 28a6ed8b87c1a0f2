//! Identities: of a commit, of a point on the relayed line, of content, of whatever follows from a cause.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The namespace of every derived id; drawn once, never changed.
const NAMESPACE: Uuid = Uuid::from_u128(0x9f0d_63a1_52c4_5b1e_8f4e_6c07_7a51_20d3);

/// The id that follows from a cause: equal causes give equal ids, so a repeated step repeats its ids.
///
/// Parts are length-prefixed, so `["ab", "c"]` and `["a", "bc"]` differ.
#[must_use]
pub fn derived_id(parts: &[&str]) -> Uuid {
    let mut name = Vec::new();
    for part in parts {
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part.as_bytes());
    }
    Uuid::new_v5(&NAMESPACE, &name)
}

macro_rules! counter {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        // Avro's `long` is signed, so the counter is too.
        pub struct $type(pub i64);

        impl $type {
            /// The next value.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter!(
    /// The relay's own counter of steps; never lowered, whatever happens to Git's history.
    Revision
);
counter!(
    /// Raised by `stoa recover` when the broker was lost; offsets and generations belong to an epoch.
    Epoch
);

/// What a gateway serves for a route: a newer order has a greater generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Generation {
    /// The broker's epoch.
    pub epoch: Epoch,
    /// The revision of the order inside the epoch.
    pub revision: Revision,
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.revision)
    }
}

/// Why a text is not an id of the expected form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct IdError {
    text: String,
    expected: &'static str,
}

macro_rules! hexadecimal {
    ($(#[$doc:meta])* $type:ident, $expected:literal, $lengths:pat) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(extend("pattern" = "^([0-9a-f]{40}|[0-9a-f]{64})$"))]
        pub struct $type(String);

        impl $type {
            /// The lower-case hexadecimal text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                let legal = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                match text.len() {
                    $lengths if legal => Ok(Self(text)),
                    _ => Err(IdError { text: text.chars().take(80).collect(), expected: $expected }),
                }
            }
        }

        impl FromStr for $type {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$type> for String {
            fn from(id: $type) -> Self {
                id.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

hexadecimal!(
    /// The full id of a Git commit (SHA-1 or SHA-256).
    CommitId,
    "a full Git commit id",
    40 | 64
);
hexadecimal!(
    /// The SHA-256 of some content, in lower-case hexadecimal.
    Digest,
    "a SHA-256 in hexadecimal",
    64
);

impl Digest {
    /// The digest of `content`.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let hash = Sha256::digest(content);
        let digits = hash.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        Self(digits.map(|digit| char::from(HEX[usize::from(digit)])).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_causes_have_equal_ids_and_parts_do_not_run_together() {
        assert_eq!(derived_id(&["repo", "7", "acme/pets"]), derived_id(&["repo", "7", "acme/pets"]));
        assert_ne!(derived_id(&["ab", "c"]), derived_id(&["a", "bc"]));
    }

    #[test]
    fn an_epoch_outranks_every_revision_of_the_one_before() {
        let before = Generation { epoch: Epoch(1), revision: Revision(900) };
        let after = Generation { epoch: Epoch(2), revision: Revision(1) };
        assert!(before < after);
        assert_eq!(after.to_string(), "2.1");
    }

    #[test]
    fn a_digest_is_the_sha_256_of_its_content() {
        assert_eq!(
            Digest::of(b"abc").as_str(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(Digest::from_str("BA78").is_err());
    }
}
