//! Signatures of records from outside (design §1.3): a detached JWS (RFC 7515, appendix F) with Ed25519.
//!
//! The header `stoa-signature` holds `BASE64URL(protected)..BASE64URL(signature)`, where `protected` is
//! `{"alg":"EdDSA","kid":"<key id>"}`. The payload, which is not sent, is these four lines, joined by line feeds:
//! the `ce_id`, the topic, the tenant, and the SHA-256 of the value in lower-case hexadecimal. The signature is
//! made over `BASE64URL(protected) + "." + BASE64URL(payload)`, as JWS says.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::id::Digest;
use serde::{Deserialize, Serialize};

/// What a signature speaks for.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The record's `ce_id`, exactly as the header says.
    pub id: &'a str,
    /// The topic it is written to.
    pub topic: &'a str,
    /// The tenant it acts for.
    pub tenant: &'a str,
    /// The value, schema id and all.
    pub value: &'a [u8],
}

impl Signed<'_> {
    fn payload(&self) -> String {
        format!("{}\n{}\n{}\n{}", self.id, self.topic, self.tenant, Digest::of(self.value))
    }
}

/// Why a signature does not prove anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is none.
    #[error("the record is not signed")]
    Missing,
    /// It is not a detached JWS of compact form.
    #[error("the signature is not a detached JWS")]
    Malformed,
    /// It uses another algorithm.
    #[error("the signature's algorithm is `{0}`; only `EdDSA` is accepted")]
    Algorithm(String),
    /// It names a key that is not among those given.
    #[error("no key `{0}` is known for this tenant")]
    UnknownKey(String),
    /// It was not made by that key over this record.
    #[error("the signature does not match the record")]
    Mismatch,
    /// The text is no Ed25519 key.
    #[error("not an Ed25519 key")]
    Key,
}

#[derive(Serialize, Deserialize)]
struct Protected {
    alg: String,
    kid: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    crit: Vec<String>,
}

/// A key that signs.
pub struct SigningKey {
    id: String,
    pair: Ed25519KeyPair,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

impl SigningKey {
    /// A key from its seed of 32 bytes.
    pub fn from_seed(id: &str, seed: &[u8]) -> Result<Self, SignatureError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| SignatureError::Key)?;
        Ok(Self { id: id.to_owned(), pair })
    }

    /// A new key.
    pub fn generate(id: &str) -> Result<Self, SignatureError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| SignatureError::Key)?;
        Ok(Self { id: id.to_owned(), pair })
    }

    /// The key that verifies.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey { id: self.id.clone(), bytes: self.pair.public_key().as_ref().to_vec() }
    }

    /// The header's value for a record.
    #[must_use]
    pub fn sign(&self, signed: &Signed<'_>) -> String {
        let protected = format!(r#"{{"alg":"EdDSA","kid":{}}}"#, serde_json::Value::from(self.id.clone()));
        let protected = BASE64_URL_SAFE_NO_PAD.encode(protected);
        let input = format!("{protected}.{}", BASE64_URL_SAFE_NO_PAD.encode(signed.payload()));
        let signature = self.pair.sign(input.as_bytes());
        format!("{protected}..{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

/// A key that verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The name by which signatures refer to it.
    pub id: String,
    bytes: Vec<u8>,
}

/// What stands before the 32 bytes of a key in the SPKI form that `openssl pkey -pubout` writes.
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

impl PublicKey {
    /// A key from its 32 bytes in base64 (either alphabet), or from PEM.
    pub fn parse(id: &str, text: &str) -> Result<Self, SignatureError> {
        let body: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("-----"))
            .flat_map(str::chars)
            .collect();
        let body = body.trim().trim_end_matches('=').replace('+', "-").replace('/', "_");
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(body).map_err(|_| SignatureError::Key)?;
        let bytes = bytes.strip_prefix(&SPKI).unwrap_or(&bytes).to_vec();
        if bytes.len() == 32 { Ok(Self { id: id.to_owned(), bytes }) } else { Err(SignatureError::Key) }
    }

    /// The key as it stands in `tenant.yaml`: the `x` of its JWK.
    #[must_use]
    pub fn encode(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(&self.bytes)
    }
}

/// Which of `keys` signed the record.
pub fn verify<'k>(
    signed: &Signed<'_>,
    signature: Option<&str>,
    keys: &'k [PublicKey],
) -> Result<&'k PublicKey, SignatureError> {
    let signature = signature.ok_or(SignatureError::Missing)?;
    let (protected, signature) = signature.split_once("..").ok_or(SignatureError::Malformed)?;
    let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| SignatureError::Malformed);
    let header: Protected =
        serde_json::from_slice(&decode(protected)?).map_err(|_| SignatureError::Malformed)?;
    // A critical extension that we do not know makes a JWS invalid (RFC 7515 §4.1.11), and we know none.
    if !header.crit.is_empty() {
        return Err(SignatureError::Malformed);
    }
    if header.alg != "EdDSA" {
        return Err(SignatureError::Algorithm(header.alg));
    }
    let key = keys.iter().find(|key| key.id == header.kid).ok_or(SignatureError::UnknownKey(header.kid))?;
    let input = format!("{protected}.{}", BASE64_URL_SAFE_NO_PAD.encode(signed.payload()));
    UnparsedPublicKey::new(&ED25519, &key.bytes)
        .verify(input.as_bytes(), &decode(signature)?)
        .map_err(|_| SignatureError::Mismatch)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    const SIGNED: Signed<'static> =
        Signed { id: "0198c0de", topic: "deploy-requests", tenant: "acme", value: b"\0\0\0\0\x01x" };

    fn key() -> SigningKey {
        SigningKey::from_seed("ci", &[7; 32]).unwrap()
    }

    #[test]
    fn a_signature_names_its_key() {
        let signature = key().sign(&SIGNED);
        assert_eq!(verify(&SIGNED, Some(&signature), &[key().public()]).unwrap().id, "ci");
    }

    #[test]
    fn a_signature_speaks_for_one_record_on_one_topic_of_one_tenant() {
        let signature = key().sign(&SIGNED);
        let keys = [key().public()];
        for other in [
            Signed { id: "0198c0df", ..SIGNED },
            Signed { topic: "api-registration", ..SIGNED },
            Signed { tenant: "globex", ..SIGNED },
            Signed { value: b"y", ..SIGNED },
        ] {
            assert_eq!(verify(&other, Some(&signature), &keys), Err(SignatureError::Mismatch));
        }
    }

    #[test]
    fn what_is_no_signature_says_why() {
        let keys = [key().public()];
        let header = |text: &str| format!("{}..AAAA", BASE64_URL_SAFE_NO_PAD.encode(text));
        assert_eq!(verify(&SIGNED, None, &keys), Err(SignatureError::Missing));
        for malformed in
            ["", "a.b.c", "..", &header("[]"), &header(r#"{"alg":"EdDSA","kid":"ci","crit":["b64"]}"#)]
        {
            assert_eq!(
                verify(&SIGNED, Some(malformed), &keys),
                Err(SignatureError::Malformed),
                "{malformed}"
            );
        }
        assert_eq!(
            verify(&SIGNED, Some(&header(r#"{"alg":"none","kid":"ci"}"#)), &keys),
            Err(SignatureError::Algorithm("none".to_owned()))
        );
        assert_eq!(
            verify(&SIGNED, Some(&header(r#"{"alg":"EdDSA","kid":"cd"}"#)), &keys),
            Err(SignatureError::UnknownKey("cd".to_owned()))
        );
    }

    #[test]
    fn a_key_is_read_from_base64_and_from_pem() {
        let public = key().public();
        assert_eq!(PublicKey::parse("ci", &public.encode()), Ok(public.clone()));
        let spki: Vec<u8> = SPKI.iter().chain(&public.bytes).copied().collect();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            BASE64_STANDARD.encode(spki)
        );
        assert_eq!(PublicKey::parse("ci", &pem), Ok(public));
        assert_eq!(PublicKey::parse("ci", "AAAA"), Err(SignatureError::Key));
    }
}
