//! Fetches what an issuer publishes about itself.

use jsonwebtoken::jwk::JwkSet;
use openidconnect::{IssuerUrl, core::CoreProviderMetadata};
use reqwest::Client;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::OidcSettings;

/// More than any honest issuer publishes.
const LIMIT: usize = 1 << 20;

/// Why an issuer's keys could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum DiscoveryError {
    #[error("could not fetch `{address}`")]
    Fetch {
        address: String,
        #[source]
        cause: reqwest::Error,
    },
    #[error("`{address}` is larger than {LIMIT} bytes")]
    TooLarge { address: String },
    #[error("`{address}` is not what OpenID Connect describes")]
    Parse {
        address: String,
        #[source]
        cause: serde_json::Error,
    },
    #[error("`{address}` describes the issuer `{found}`")]
    OtherIssuer { address: String, found: String },
}

/// The present keys of the issuer; keys of kinds that are not known here are left out.
pub(super) async fn fetch_keys(client: &Client, settings: &OidcSettings) -> Result<JwkSet, DiscoveryError> {
    let address = settings.metadata_address();
    let metadata: CoreProviderMetadata = fetch(client, &address).await?;
    let issuer: &IssuerUrl = metadata.issuer();
    if issuer.as_str() != settings.issuer {
        return Err(DiscoveryError::OtherIssuer { address, found: issuer.to_string() });
    }
    let published: Published = fetch(client, metadata.jwks_uri().as_str()).await?;
    let keys = published.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
    Ok(JwkSet { keys })
}

#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

async fn fetch<T: DeserializeOwned>(client: &Client, address: &str) -> Result<T, DiscoveryError> {
    let fetching = |cause| DiscoveryError::Fetch { address: address.to_owned(), cause };
    let mut response =
        client.get(address).send().await.and_then(reqwest::Response::error_for_status).map_err(fetching)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(fetching)? {
        if body.len() + chunk.len() > LIMIT {
            return Err(DiscoveryError::TooLarge { address: address.to_owned() });
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body)
        .map_err(|cause| DiscoveryError::Parse { address: address.to_owned(), cause })
}
