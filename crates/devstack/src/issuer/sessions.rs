//! Refresh tokens: one living token for each sign-in, replaced at each use, kept in a file of their own.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::id::Digest;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Entropy;
use crate::private_file;

/// How long a refresh token is good for.
pub(super) const LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How many sign-ins are remembered; beyond that, the one that would end first ends.
const AT_MOST: usize = 256;

#[derive(Debug, Serialize, Deserialize)]
struct Session {
    username: String,
    /// Digest of the token that may be used next: the file alone lets nobody in.
    token: String,
    expires_at: Timestamp,
}

/// The sign-ins that may be renewed.
#[derive(Debug)]
pub struct Sessions {
    path: PathBuf,
    known: BTreeMap<String, Session>,
}

/// A renewed sign-in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Renewed {
    pub username: String,
    pub refresh_token: String,
}

impl Sessions {
    /// Those in the file `path`, which is made at the first sign-in.
    pub fn open(path: &Path) -> io::Result<Self> {
        let known = match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { path: path.to_owned(), known })
    }

    /// Begins a session of `username`; gives its first refresh token.
    pub(super) fn begin(
        &mut self,
        username: &str,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> io::Result<String> {
        self.known.retain(|_, session| now < session.expires_at);
        if self.known.len() >= AT_MOST {
            let first = self.known.iter().min_by_key(|(_, session)| session.expires_at);
            if let Some(id) = first.map(|(id, _)| id.clone()) {
                self.known.remove(&id);
            }
        }
        let mut id = [0; 12];
        entropy.fill(&mut id)?;
        self.issue(URL_SAFE_NO_PAD.encode(id), username, now, entropy)
    }

    /// Replaces a refresh token; nothing if it is none of ours.
    ///
    /// A token that was replaced before ends its whole session: two hold it, and one of them should not.
    pub(super) fn renew(
        &mut self,
        token: &str,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> io::Result<Option<Renewed>> {
        let id = token.split_once('.').map(|(id, _)| id).unwrap_or_default();
        let Some(session) = self.known.remove(id) else { return Ok(None) };
        let digest = digest(token);
        let same =
            aws_lc_rs::constant_time::verify_slices_are_equal(session.token.as_bytes(), digest.as_bytes());
        if same.is_err() || now >= session.expires_at {
            self.keep()?;
            return Ok(None);
        }
        let refresh_token = self.issue(id.to_owned(), &session.username, now, entropy)?;
        Ok(Some(Renewed { username: session.username, refresh_token }))
    }

    /// Ends the session of a refresh token.
    pub(super) fn end(&mut self, token: &str) -> io::Result<()> {
        let id = token.split_once('.').map(|(id, _)| id).unwrap_or_default();
        if self.known.remove(id).is_some() { self.keep() } else { Ok(()) }
    }

    fn issue(
        &mut self,
        id: String,
        username: &str,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> io::Result<String> {
        let mut secret = [0; 32];
        entropy.fill(&mut secret)?;
        let token = format!("{id}.{}", URL_SAFE_NO_PAD.encode(secret));
        let session =
            Session { username: username.to_owned(), token: digest(&token), expires_at: now + LIFETIME };
        self.known.insert(id, session);
        self.keep()?;
        Ok(token)
    }

    fn keep(&self) -> io::Result<()> {
        private_file::write(&self.path, &serde_json::to_vec_pretty(&self.known)?)
    }
}

fn digest(token: &str) -> String {
    Digest::of(token.as_bytes()).as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::entropy::testing::Counting;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_second(1_772_366_400 + number * 86_400).unwrap()
    }

    #[test]
    fn a_token_is_replaced_at_each_use_and_outlives_a_restart() {
        let home = tempfile::tempdir().unwrap();
        let (path, entropy) = (home.path().join("sessions.json"), Counting::default());
        let first = Sessions::open(&path).unwrap().begin("ada", day(0), &entropy).unwrap();
        assert!(!fs::read_to_string(&path).unwrap().contains(&first), "the token itself is not kept");

        let mut sessions = Sessions::open(&path).unwrap();
        let second = sessions.renew(&first, day(29), &entropy).unwrap().unwrap();
        assert_eq!(second.username, "ada");
        let mut sessions = Sessions::open(&path).unwrap();
        let third = sessions.renew(&second.refresh_token, day(58), &entropy).unwrap().unwrap();
        assert_eq!(sessions.renew(&third.refresh_token, day(88), &entropy).unwrap(), None, "thirty days");
    }

    #[test]
    fn a_token_that_was_replaced_ends_its_session() {
        let home = tempfile::tempdir().unwrap();
        let entropy = Counting::default();
        let mut sessions = Sessions::open(&home.path().join("sessions.json")).unwrap();
        let stolen = sessions.begin("ada", day(0), &entropy).unwrap();
        let other = sessions.begin("ada", day(0), &entropy).unwrap();
        let renewed = sessions.renew(&stolen, day(1), &entropy).unwrap().unwrap();
        assert_eq!(sessions.renew(&stolen, day(1), &entropy).unwrap(), None);
        assert_eq!(sessions.renew(&renewed.refresh_token, day(1), &entropy).unwrap(), None);
        assert!(sessions.renew(&other, day(1), &entropy).unwrap().is_some(), "another sign-in goes on");
    }

    #[test]
    fn the_number_of_sessions_is_bounded() {
        let home = tempfile::tempdir().unwrap();
        let entropy = Counting::default();
        let mut sessions = Sessions::open(&home.path().join("sessions.json")).unwrap();
        let first = sessions.begin("ada", day(0), &entropy).unwrap();
        for _ in 0..AT_MOST {
            sessions.begin("ada", day(1), &entropy).unwrap();
        }
        assert_eq!(sessions.known.len(), AT_MOST);
        assert_eq!(sessions.renew(&first, day(1), &entropy).unwrap(), None);
        assert_eq!(sessions.renew("nothing", day(1), &entropy).unwrap(), None);
    }
}
