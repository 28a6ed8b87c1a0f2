//! The trailer by which the platform knows its own commits again.
//!
//! `Stoa-Request: {id}.{HMAC}` names the request that a commit fulfils. The HMAC covers what the commit is made
//! of (its request, files, parent, author), so that a trailer copied into another commit proves nothing there.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::id::CommitId;
use secrecy::{ExposeSecret, SecretSlice};

use crate::repository::CommitInfo;

const KEY: &str = "Stoa-Request";

/// Signs and verifies the trailers of an installation.
#[derive(Clone)]
pub struct Trailers {
    key: hmac::Key,
}

impl std::fmt::Debug for Trailers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trailers")
    }
}

impl Trailers {
    /// With the installation's secret, of 32 bytes or more.
    #[must_use]
    pub fn new(secret: &SecretSlice<u8>) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret()) }
    }

    /// The message with its trailer.
    pub(crate) fn sign(&self, message: &str, request: &str, covered: &Covered<'_>) -> String {
        let tag = hmac::sign(&self.key, &covered.bytes(request));
        let tag = URL_SAFE_NO_PAD.encode(tag.as_ref());
        format!("{}\n\n{KEY}: {request}.{tag}\n", without_trailers(message).trim_end())
    }

    /// The request that a commit fulfils, if the commit is the platform's own.
    #[must_use]
    pub fn verify<'c>(&self, commit: &'c CommitInfo) -> Option<&'c str> {
        let value =
            commit.message.lines().rev().find_map(|line| line.strip_prefix(KEY)?.strip_prefix(": "))?;
        let (request, tag) = value.trim().rsplit_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        let covered = Covered {
            tree: &commit.tree,
            parent: commit.parents.first(),
            author_name: &commit.author_name,
            author_email: &commit.author_email,
        };
        hmac::verify(&self.key, &covered.bytes(request), &tag).is_ok().then_some(request)
    }
}

/// What the HMAC covers beside the request's id.
pub(crate) struct Covered<'a> {
    pub(crate) tree: &'a CommitId,
    pub(crate) parent: Option<&'a CommitId>,
    pub(crate) author_name: &'a str,
    pub(crate) author_email: &'a str,
}

impl Covered<'_> {
    fn bytes(&self, request: &str) -> Vec<u8> {
        let parent = self.parent.map_or("", CommitId::as_str);
        let mut bytes = Vec::new();
        for part in [request, self.tree.as_str(), parent, self.author_name, self.author_email] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

/// A message that somebody wrote, without lines that would pass for ours.
fn without_trailers(message: &str) -> String {
    message.lines().filter(|line| !line.starts_with(KEY)).collect::<Vec<_>>().join("\n")
}
