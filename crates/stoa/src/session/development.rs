//! Tokens of the development token issuer: for a name alone.

use anyhow::{Context as _, bail};
use devstack::issuer::DEVELOPMENT_GRANT;
use jiff::SignedDuration;
use serde::Deserialize;
use url::Url;

use super::{Granted, http};

#[derive(Deserialize)]
struct Given {
    access_token: String,
    expires_in: i64,
}

#[derive(Deserialize)]
struct Refused {
    error_description: String,
}

/// A token for `user`.
pub(super) async fn token(issuer: &Url, user: &str) -> anyhow::Result<Granted> {
    let issuer = issuer.as_str().trim_end_matches('/');
    let answer = http()?
        .post(format!("{issuer}/token"))
        .form(&[("grant_type", DEVELOPMENT_GRANT), ("username", user)])
        .send()
        .await
        .with_context(|| format!("asking `{issuer}` for a token; is `stoa up` running?"))?;
    if !answer.status().is_success() {
        let refused: Refused = answer.json().await.context("reading the issuer's refusal")?;
        bail!("no token: {}", refused.error_description);
    }
    let given: Given = answer.json().await.context("reading the issuer's answer")?;
    let lifetime = SignedDuration::from_secs(given.expires_in);
    Ok(Granted { token: given.access_token, lifetime, renewal: None })
}
