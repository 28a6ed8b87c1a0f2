//! Opaque cursors of lists: where the next page begins, sealed so that nobody can make one up.

use aws_lc_rs::{
    hmac::{HMAC_SHA256, Key, sign, verify},
    rand,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Kind, Problem};

/// The length of a seal in front of the position.
const SEAL: usize = 32;

/// Seals and opens the cursors of an install.
#[derive(Clone, Debug)]
pub struct Cursors(Key);

impl Cursors {
    /// Replicas that share `secret` open each other's cursors.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(Key::new(HMAC_SHA256, secret))
    }

    /// A key of this process; after a restart, lists start again.
    pub fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut secret = [0; 32];
        rand::fill(&mut secret)?;
        Ok(Self::new(&secret))
    }

    /// A cursor of the list `list` at `position`.
    ///
    /// `list` names everything that shapes the list (route, tenant, filters), so that a cursor fits no other.
    #[must_use]
    pub fn seal(&self, list: &str, position: &impl Serialize) -> String {
        // Positions are plain structs, which always serialize.
        let position = serde_json::to_vec(position).unwrap_or_default();
        let mut cursor = sign(&self.0, &sealed(list, &position)).as_ref().to_vec();
        cursor.extend_from_slice(&position);
        URL_SAFE_NO_PAD.encode(cursor)
    }

    /// The position in `cursor`, if it was sealed for `list`.
    pub fn open<T: DeserializeOwned>(&self, list: &str, cursor: &str) -> Result<T, Problem> {
        let opened = || {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            let (seal, position) = bytes.split_at_checked(SEAL)?;
            verify(&self.0, &sealed(list, position), seal).ok()?;
            serde_json::from_slice(position).ok()
        };
        opened().ok_or_else(|| Problem::new(Kind::InvalidCursor, "the cursor does not belong to this list"))
    }
}

/// What the seal covers; the length keeps the two parts apart.
fn sealed(list: &str, position: &[u8]) -> Vec<u8> {
    [&(list.len() as u64).to_be_bytes(), list.as_bytes(), position].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_for_its_own_list_only() {
        let cursors = Cursors::new(b"key");
        let cursor = cursors.seal("apis/acme", &("pets", 7));
        assert_eq!(cursors.open::<(String, u8)>("apis/acme", &cursor).unwrap(), ("pets".to_owned(), 7));
        let error = cursors.open::<(String, u8)>("apis/other", &cursor).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidCursor);
    }

    #[test]
    fn a_changed_or_foreign_cursor_is_refused() {
        let cursors = Cursors::new(b"key");
        let cursor = cursors.seal("apis", &7);
        let foreign = Cursors::random().unwrap().seal("apis", &7);
        for text in
            ["", "x", "====", &cursor[1..], &cursor.replace('A', "B"), &format!("{cursor}AA"), &foreign]
        {
            if *text != cursor {
                assert!(cursors.open::<u8>("apis", text).is_err(), "{text}");
            }
        }
    }
}
