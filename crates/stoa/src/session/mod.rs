//! Who is signed in, and the token to show for it.

mod development;
mod device;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use devstack::private_file;
use jiff::{SignedDuration, Timestamp};
use reqwest::Client;
use runtime::{Clock as _, HttpSettings, SystemClock, http_client};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    cli::{Global, Login},
    connection::{Connection, data_directory},
};

/// A token this close to its end is not used any more.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);

/// A token with what is known of it; kept in a file that only its owner may read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The control plane that the token is for, if it is not the one of the data directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<Url>,
    pub issuer: Url,
    pub user: String,
    token: String,
    pub expires_at: Timestamp,
    /// How to get another token; a development token is asked for by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    renewal: Option<Renewal>,
}

/// A client of the issuer, and what it shows to get another token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Renewal {
    client: String,
    refresh_token: String,
}

/// What an issuer gave.
struct Granted {
    token: String,
    lifetime: SignedDuration,
    renewal: Option<Renewal>,
}

impl Session {
    fn path(data: &Path) -> PathBuf {
        data.join("session.json")
    }

    fn read(data: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(Self::path(data)).ok()?).ok()
    }

    fn write(&self, data: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(data).with_context(|| format!("making `{}`", data.display()))?;
        private_file::write(&Self::path(data), &serde_json::to_vec_pretty(self)?)
            .context("keeping the session")
    }

    fn of(api: Option<Url>, issuer: Url, user: String, granted: Granted) -> Self {
        let Granted { token, lifetime, renewal } = granted;
        Self { api, issuer, user, token, expires_at: SystemClock.now() + lifetime, renewal }
    }

    /// The session with a token that is good for a while yet.
    async fn renewed(self) -> anyhow::Result<Self> {
        if SystemClock.now() + MARGIN < self.expires_at {
            return Ok(self);
        }
        let Self { api, issuer, user, renewal, .. } = self;
        let granted = match &renewal {
            None => development::token(&issuer, &user).await?,
            Some(Renewal { client, refresh_token }) => device::renew(&issuer, client, refresh_token).await?,
        };
        // An issuer may let the old refresh token be used again.
        let renewal = granted.renewal.or(renewal);
        Ok(Self::of(api, issuer, user, Granted { renewal, ..granted }))
    }
}

/// A client for short conversations.
pub(crate) fn http() -> anyhow::Result<Client> {
    http_client(&HttpSettings::default()).context("preparing the HTTP client")
}

/// The control plane that is meant, and the token to show to it: the one that was said, that of who signed in, or
/// that of the first user of a platform with development tokens. A token goes to no other control plane than the
/// one that it was got for.
pub(crate) async fn access(global: &Global) -> anyhow::Result<(Url, String)> {
    let data = data_directory(global)?;
    let session = Session::read(&data);
    let here = Connection::find(&data)?;
    let elsewhere = global.api.clone().or_else(|| session.as_ref().and_then(|session| session.api.clone()));
    let api = match (elsewhere, &here) {
        (Some(api), _) => api,
        (None, Some(here)) => here.api.clone(),
        (None, None) => return Err(Connection::missing(&data)),
    };
    if let Some(token) = &global.token {
        return Ok((api, token.clone()));
    }
    let here = here.filter(|here| here.api == api);
    let fits = |session: &Session| match (&session.api, &here) {
        (Some(its), _) => *its == api,
        (None, Some(here)) => session.issuer == here.issuer,
        (None, None) => false,
    };
    let session = match (session.filter(fits), here) {
        (Some(session), _) => session.renewed().await?,
        (None, Some(here)) if here.development => {
            let granted = development::token(&here.issuer, &here.user).await?;
            Session::of(None, here.issuer, here.user, granted)
        }
        _ => bail!("nobody is signed in to `{api}`: run `stoa login`, or say --token"),
    };
    session.write(&data)?;
    Ok((api, session.token))
}

/// A token of the development issuer for `user`, which is not kept.
pub(crate) async fn development(issuer: &Url, user: &str) -> anyhow::Result<String> {
    Ok(development::token(issuer, user).await?.token)
}

/// A development token for `user` of the platform here, which is not kept.
pub(crate) async fn token_of(global: &Global, user: &str) -> anyhow::Result<String> {
    let here = Connection::read(&data_directory(global)?)?;
    if !here.development {
        bail!("`{}` gives no token for a name alone: run `stoa login`", here.issuer);
    }
    development(&here.issuer, user).await
}

/// Signs somebody in, and remembers it: a user of the development issuer by name, anybody else in a browser.
pub(crate) async fn sign_in(global: &Global, arguments: &Login) -> anyhow::Result<Session> {
    let data = data_directory(global)?;
    let here = Connection::find(&data)?;
    let issuer = match (&arguments.issuer, &here) {
        (Some(issuer), _) => issuer.clone(),
        (None, Some(here)) if global.api.as_ref().is_none_or(|api| *api == here.api) => here.issuer.clone(),
        _ if global.api.is_some() => bail!("who signs its tokens? Say --issuer"),
        _ => return Err(Connection::missing(&data)),
    };
    let api = global.api.clone().filter(|api| here.as_ref().is_none_or(|here| here.api != *api));
    if api.is_none() && here.is_none() {
        bail!("which control plane? Say --api");
    }
    let session = if let Some(user) = &arguments.user {
        if !here.is_some_and(|here| here.development && here.issuer == issuer) {
            bail!("`{issuer}` gives no token for a name alone: leave --user out");
        }
        Session::of(api, issuer.clone(), user.clone(), development::token(&issuer, user).await?)
    } else {
        let granted = device::sign_in(&issuer, &arguments.client).await?;
        let user = device::user(&granted.token);
        Session::of(api, issuer, user, granted)
    };
    session.write(&data)?;
    Ok(session)
}
