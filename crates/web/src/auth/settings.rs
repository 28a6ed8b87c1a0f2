//! Which tokens are accepted.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use runtime::Reader;
use url::Url;

/// The issuer whose tokens are accepted, and how its keys are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcSettings {
    /// The issuer exactly as tokens name it.
    pub issuer: String,
    /// Where the issuer is reached from here, if that is not the address that tokens name.
    pub reached_at: Option<Url>,
    /// The audience that a token must have.
    pub audience: String,
    /// The signature algorithms that are accepted; all asymmetric.
    pub algorithms: Vec<Algorithm>,
    /// How far the clocks of issuer and service may differ.
    pub leeway: Duration,
    /// After this time keys are fetched again, in the background.
    pub keys_fresh: Duration,
    /// After this time without an answer of the issuer, its keys are no longer trusted.
    pub keys_trusted: Duration,
    /// The least time between two fetches.
    pub fetch_floor: Duration,
    /// How many verified tokens are remembered.
    pub remembered: usize,
}

impl OidcSettings {
    /// The usual values for tokens of `issuer` to `audience`.
    #[must_use]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            reached_at: None,
            audience: audience.into(),
            algorithms: vec![Algorithm::RS256, Algorithm::ES256, Algorithm::PS256],
            leeway: Duration::from_secs(10),
            keys_fresh: Duration::from_mins(5),
            keys_trusted: Duration::from_hours(1),
            fetch_floor: Duration::from_secs(10),
            remembered: 10_000,
        }
    }

    /// Reads the section `oidc`; `audience` is the service's own unless it is set.
    ///
    /// Without `oidc.issuer`, the issuer is the realm `keycloak.realm` (`stoa`) at `keycloak.url`, or else at
    /// `auth` of the base domain.
    pub fn read(reader: &mut Reader, audience: &str) -> Option<Self> {
        let issuer = issuer(reader);
        let audience = reader.or("oidc.audience", audience.to_owned());
        let default = Self::new(String::new(), audience);
        let settings = Self {
            reached_at: reader.optional("oidc.reached_at"),
            algorithms: algorithms(reader).unwrap_or(default.algorithms),
            leeway: reader.or("oidc.leeway", default.leeway),
            keys_fresh: reader.or("oidc.keys_fresh", default.keys_fresh),
            keys_trusted: reader.or("oidc.keys_trusted", default.keys_trusted),
            fetch_floor: reader.or("oidc.fetch_floor", default.fetch_floor),
            remembered: reader.or("oidc.remembered", default.remembered),
            ..default
        };
        Some(Self { issuer: issuer?, ..settings })
    }

    /// The address of the issuer's metadata.
    pub(super) fn metadata_address(&self) -> String {
        let base = self.reached_at.as_ref().map_or(self.issuer.as_str(), Url::as_str);
        format!("{}/.well-known/openid-configuration", base.trim_end_matches('/'))
    }
}

fn issuer(reader: &mut Reader) -> Option<String> {
    let keycloak: Option<Url> = reader.optional("keycloak.url");
    let auth: Option<Url> = reader.optional("auth.url");
    let domain: Option<String> = reader.optional("base_domain");
    let realm = reader.or("keycloak.realm", "stoa".to_owned());
    if let Some(issuer) = reader.optional::<Url>("oidc.issuer") {
        // Compared as text, so the slash that parsing adds after a bare host is taken off again.
        let text = issuer.as_str();
        return Some(if issuer.path() == "/" {
            text.trim_end_matches('/').to_owned()
        } else {
            text.to_owned()
        });
    }
    let server =
        keycloak.or(auth).map(String::from).or_else(|| domain.map(|domain| format!("https://auth.{domain}")));
    let Some(server) = server else {
        reader.problem("oidc.issuer", "is not set, and neither `KEYCLOAK_URL` nor `BASE_DOMAIN` gives it");
        return None;
    };
    Some(format!("{}/realms/{realm}", server.trim_end_matches('/')))
}

fn algorithms(reader: &mut Reader) -> Option<Vec<Algorithm>> {
    const KEY: &str = "oidc.algorithms";
    let names: Vec<String> = reader.optional(KEY)?;
    let parsed: Option<Vec<Algorithm>> = names.iter().map(|name| asymmetric(name)).collect();
    if parsed.as_ref().is_none_or(Vec::is_empty) {
        reader.problem(KEY, "expected asymmetric algorithms such as `RS256,ES256`");
    }
    parsed
}

fn asymmetric(name: &str) -> Option<Algorithm> {
    let algorithm: Algorithm = name.parse().ok()?;
    let symmetric = matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
    (!symmetric).then_some(algorithm)
}

#[cfg(test)]
mod tests {
    use runtime::Source;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<OidcSettings, String> {
        let source = Source::given(pairs.iter().copied());
        let mut reader = Reader::new(&source);
        let settings = OidcSettings::read(&mut reader, "control-plane-api");
        reader.complete(|| settings).map_err(|error| error.to_string())
    }

    #[test]
    fn the_issuer_follows_from_the_base_domain_or_from_keycloak() {
        assert_eq!(
            read(&[("BASE_DOMAIN", "example.org")]).unwrap().issuer,
            "https://auth.example.org/realms/stoa"
        );
        let keycloak =
            read(&[("KEYCLOAK_URL", "http://127.0.0.1:8081/"), ("KEYCLOAK_REALM", "acme")]).unwrap();
        assert_eq!(keycloak.issuer, "http://127.0.0.1:8081/realms/acme");
        let issuer = read(&[("OIDC_ISSUER", "http://127.0.0.1:8081")]).unwrap();
        assert_eq!(issuer.issuer, "http://127.0.0.1:8081");
        assert_eq!(issuer.audience, "control-plane-api");
    }

    #[test]
    fn without_any_of_them_the_problem_is_named() {
        assert!(read(&[]).unwrap_err().contains("OIDC_ISSUER (oidc.issuer) is not set"));
    }

    #[test]
    fn a_symmetric_algorithm_is_refused() {
        let error = read(&[("BASE_DOMAIN", "example.org"), ("OIDC_ALGORITHMS", "RS256,HS256")]).unwrap_err();
        assert!(error.contains("OIDC_ALGORITHMS (oidc.algorithms) expected asymmetric"), "{error}");
    }
}
