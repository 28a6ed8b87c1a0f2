//! The signing key: drawn once, kept in a file that only its owner may read.

use std::{fmt, io, path::Path};

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::id::Digest;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse},
};
use serde::Serialize;

use crate::private_file;

/// The key cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Its file.
    #[error("could not keep the signing key")]
    File(#[from] io::Error),
    /// Its content.
    #[error("the signing key is not a usable RSA key")]
    Content(#[from] jsonwebtoken::errors::Error),
}

/// An RSA key with its public half as a JSON Web Key.
pub struct Key {
    private: EncodingKey,
    public: Jwk,
    id: String,
}

impl Key {
    /// The key in `path`, drawn if there is none.
    pub fn read_or_make(path: &Path) -> Result<Self, KeyError> {
        Self::from_pem(&private_file::read_or_make(path, draw)?)
    }

    fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let private = EncodingKey::from_rsa_pem(pem)?;
        let mut public = Jwk::from_encoding_key(&private, Algorithm::RS256)?;
        let modulus = match &public.algorithm {
            AlgorithmParameters::RSA(rsa) => rsa.n.as_bytes(),
            _ => &[],
        };
        // The id follows from the key, so a new key never has the id of an old one that is still cached.
        let id = Digest::of(modulus).as_str()[..16].to_owned();
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { private, public, id })
    }

    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, KeyError> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.id.clone());
        Ok(jsonwebtoken::encode(&header, claims, &self.private)?)
    }

    pub(super) fn set(&self) -> JwkSet {
        JwkSet { keys: vec![self.public.clone()] }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

fn draw() -> io::Result<Vec<u8>> {
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(io::Error::other)?;
    let text = STANDARD.encode(der.as_ref());
    let mut pem = b"-----BEGIN PRIVATE KEY-----\n".to_vec();
    for line in text.as_bytes().chunks(64) {
        pem.extend_from_slice(line);
        pem.push(b'\n');
    }
    pem.extend_from_slice(b"-----END PRIVATE KEY-----\n");
    Ok(pem)
}
