//! The addresses of an install, all derived from one domain.

use url::Url;

use super::{Invalid, Reader, Setting};

/// Where the parts of the platform are reached; derived from `BASE_DOMAIN`, each replaceable by `<NAME>_URL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// control-plane-api: `api.`
    pub api: Url,
    /// The console: `devops.`
    pub devops: Url,
    /// The developer portal: `portal.`
    pub portal: Url,
    /// The identity provider: `auth.`, also `KEYCLOAK_URL`.
    pub auth: Url,
    /// The API gateway: `gateway.`
    pub gateway: Url,
    /// mcp-gateway: `mcp.`
    pub mcp: Url,
    /// AWX: `awx.`
    pub awx: Url,
    /// `ArgoCD`: `argocd.`
    pub argocd: Url,
    /// Vault: `vault.`
    pub vault: Url,
}

impl Addresses {
    /// Reads `base_domain`, needed unless every address is given, and `<name>.url` of each part.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let domain: Option<Domain> = reader.optional("base_domain");
        let mut missing = Vec::new();
        let mut address = |keys: &[&str], name: &str| {
            let given = keys.iter().find_map(|key| reader.optional::<Url>(key));
            let derived = || {
                domain.as_ref().and_then(|Domain(domain)| format!("https://{name}.{domain}/").parse().ok())
            };
            let found = given.or_else(derived);
            // A wrong address is a problem of its own.
            if found.is_none() && !keys.iter().any(|key| reader.is_set(key)) {
                missing.push(format!("{}_URL", name.to_ascii_uppercase()));
            }
            found
        };
        let api = address(&["api.url"], "api");
        let devops = address(&["devops.url"], "devops");
        let portal = address(&["portal.url"], "portal");
        let auth = address(&["auth.url", "keycloak.url"], "auth");
        let gateway = address(&["gateway.url"], "gateway");
        let mcp = address(&["mcp.url"], "mcp");
        let awx = address(&["awx.url"], "awx");
        let argocd = address(&["argocd.url"], "argocd");
        let vault = address(&["vault.url"], "vault");
        if !missing.is_empty() && !reader.is_set("base_domain") {
            let each = missing.join(", ");
            reader.problem("base_domain", format!("is not set; it derives {each}, or set each of them"));
        }
        let (api, devops, portal, auth) = (api?, devops?, portal?, auth?);
        let (gateway, mcp, awx, argocd, vault) = (gateway?, mcp?, awx?, argocd?, vault?);
        Some(Self { api, devops, portal, auth, gateway, mcp, awx, argocd, vault })
    }
}

/// A DNS name.
struct Domain(String);

impl Setting for Domain {
    fn parse(text: &str) -> Result<Self, Invalid> {
        let label = |label: &str| {
            let legal = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            (1..=63).contains(&label.len()) && legal && !label.starts_with('-') && !label.ends_with('-')
        };
        if text.len() <= 200 && text.split('.').all(label) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(Invalid::expected("a domain such as `example.org`, without scheme, port or path"))
        }
    }
}
