//! Who is signed in, and the token to show for it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use devstack::{issuer::DEVELOPMENT_GRANT, private_file};
use jiff::{SignedDuration, Timestamp};
use reqwest::Client;
use runtime::{Clock as _, HttpSettings, SystemClock, http_client};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    cli::Global,
    connection::{Connection, data_directory},
};

/// A token this close to its end is not used any more.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);

/// A token with what is known of it; kept in a file that only its owner may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub issuer: Url,
    pub user: String,
    pub token: String,
    pub expires_at: Timestamp,
}

impl Session {
    fn path(data: &Path) -> PathBuf {
        data.join("session.json")
    }

    fn read(data: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(Self::path(data)).ok()?).ok()
    }

    fn write(&self, data: &Path) -> anyhow::Result<()> {
        private_file::write(&Self::path(data), &serde_json::to_vec_pretty(self)?)
            .context("keeping the session")
    }

    fn is_good(&self, issuer: &Url, now: Timestamp) -> bool {
        self.issuer == *issuer && now + MARGIN < self.expires_at
    }
}

/// A client for short conversations.
pub(crate) fn http() -> anyhow::Result<Client> {
    http_client(&HttpSettings::default()).context("preparing the HTTP client")
}

/// The token to show: the one that was said, that of who signed in, or that of the platform's first user.
pub(crate) async fn token(global: &Global) -> anyhow::Result<String> {
    if let Some(token) = &global.token {
        return Ok(token.clone());
    }
    let data = data_directory(global)?;
    let connection = Connection::read(&data)?;
    let now = SystemClock.now();
    let session = Session::read(&data);
    if let Some(session) = session.as_ref().filter(|session| session.is_good(&connection.issuer, now)) {
        return Ok(session.token.clone());
    }
    // A session that ran out is renewed for the same user.
    let user = session.map_or_else(|| connection.user.clone(), |session| session.user);
    let renewed = ask(&connection, &user, now).await?;
    renewed.write(&data)?;
    Ok(renewed.token)
}

/// A token for `user`, which is not kept.
pub(crate) async fn token_of(global: &Global, user: &str) -> anyhow::Result<String> {
    let connection = Connection::read(&data_directory(global)?)?;
    Ok(ask(&connection, user, SystemClock.now()).await?.token)
}

/// Signs `user` in, or the platform's first user.
pub(crate) async fn sign_in(global: &Global, user: Option<&str>) -> anyhow::Result<Session> {
    let data = data_directory(global)?;
    let connection = Connection::read(&data)?;
    let session = ask(&connection, user.unwrap_or(&connection.user), SystemClock.now()).await?;
    session.write(&data)?;
    Ok(session)
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: i64,
}

#[derive(Deserialize)]
struct Refused {
    error_description: String,
}

async fn ask(connection: &Connection, user: &str, now: Timestamp) -> anyhow::Result<Session> {
    if !connection.development {
        bail!("`{}` is no development token issuer: say --token or set STOA_TOKEN", connection.issuer);
    }
    let issuer = connection.issuer.as_str().trim_end_matches('/');
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
    let granted: Granted = answer.json().await.context("reading the issuer's answer")?;
    Ok(Session {
        issuer: connection.issuer.clone(),
        user: user.to_owned(),
        token: granted.access_token,
        expires_at: now + SignedDuration::from_secs(granted.expires_in),
    })
}
