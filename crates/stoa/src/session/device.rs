//! Signing in with a browser, on this machine or another: the device authorization grant (RFC 8628).

use std::time::Duration;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use openidconnect::{
    AdditionalProviderMetadata, ClientId, DeviceAuthorizationUrl, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IssuerUrl, OAuth2TokenResponse as _, ProviderMetadata,
    RefreshToken, Scope,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
        CoreDeviceAuthorizationResponse, CoreGrantType, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
        CoreTokenResponse,
    },
};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{Granted, Renewal, http};

/// What an issuer says of itself, with the endpoint that `OpenID` Connect leaves to RFC 8628.
type Metadata = ProviderMetadata<
    DeviceEndpoint,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

#[derive(Clone, Debug, Deserialize, Serialize)]
struct DeviceEndpoint {
    device_authorization_endpoint: Option<DeviceAuthorizationUrl>,
}

impl AdditionalProviderMetadata for DeviceEndpoint {}

/// A client that knows the issuer's endpoints.
type Known = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Shows where to confirm, and waits until somebody has.
pub(super) async fn sign_in(issuer: &Url, client: &str) -> anyhow::Result<Granted> {
    let http = http()?;
    let send = |request| send(&http, request);
    let (known, endpoint) = discover(issuer, client, &send).await?;
    let endpoint = endpoint.with_context(|| format!("`{issuer}` does not offer the device grant"))?;
    let known = known.set_device_authorization_url(endpoint);
    let asked: CoreDeviceAuthorizationResponse = known
        .exchange_device_code()
        .add_scopes(["profile", "email", "offline_access"].map(|scope| Scope::new(scope.to_owned())))
        .request_async(&send)
        .await
        .with_context(|| format!("asking `{issuer}` for a code"))?;
    let complete = asked.verification_uri_complete().map(|uri| uri.secret().as_str());
    let address = complete.unwrap_or_else(|| asked.verification_uri().as_str());
    eprintln!("Open {address}\nand confirm the code {}", asked.user_code().secret());
    let token = known
        .exchange_device_access_token(&asked)?
        .request_async(&send, tokio::time::sleep, Some(asked.expires_in()))
        .await
        .context("waiting for the confirmation")?;
    granted(&token, client)
}

/// Another token.
pub(super) async fn renew(issuer: &Url, client: &str, refresh_token: &str) -> anyhow::Result<Granted> {
    let http = http()?;
    let send = |request| send(&http, request);
    let (known, _) = discover(issuer, client, &send).await?;
    let token = known
        .exchange_refresh_token(&RefreshToken::new(refresh_token.to_owned()))?
        .request_async(&send)
        .await
        .context("the session has ended; run `stoa login`")?;
    granted(&token, client)
}

async fn discover<S, F>(
    issuer: &Url,
    client: &str,
    send: &S,
) -> anyhow::Result<(Known, Option<DeviceAuthorizationUrl>)>
where
    S: Fn(HttpRequest) -> F,
    F: Future<Output = Result<HttpResponse, reqwest::Error>> + Send,
{
    // An issuer's name is compared letter by letter, and parsing added a slash.
    let name = IssuerUrl::new(issuer.as_str().trim_end_matches('/').to_owned())?;
    let metadata =
        Metadata::discover_async(name, send).await.with_context(|| format!("asking `{issuer}` who it is"))?;
    let endpoint = metadata.additional_metadata().device_authorization_endpoint.clone();
    let known = CoreClient::from_provider_metadata(metadata, ClientId::new(client.to_owned()), None);
    Ok((known, endpoint))
}

fn granted(token: &CoreTokenResponse, client: &str) -> anyhow::Result<Granted> {
    let lifetime = token.expires_in().unwrap_or(Duration::from_mins(1));
    let renewal = token
        .refresh_token()
        .map(|refresh| Renewal { client: client.to_owned(), refresh_token: refresh.secret().clone() });
    Ok(Granted {
        token: token.access_token().secret().clone(),
        lifetime: SignedDuration::try_from(lifetime).context("reading the token's lifetime")?,
        renewal,
    })
}

/// The name in a token, to be shown; whether it is true is for the control plane to say.
pub(super) fn user(token: &str) -> String {
    let claims = || -> Option<Value> {
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        serde_json::from_slice(&payload).ok()
    };
    let claims = claims().unwrap_or_default();
    let claim = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    claim("preferred_username").or_else(|| claim("sub")).unwrap_or_else(|| "somebody".to_owned())
}

async fn send(http: &Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let answer = http.execute(request.try_into()?).await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = HttpResponse::new(answer.bytes().await?.to_vec());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
