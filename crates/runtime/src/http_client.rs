//! The one way to an HTTP client.

use std::{fs, path::PathBuf, time::Duration};

use reqwest::{Certificate, Client, NoProxy, Proxy, redirect::Policy};
use url::Url;

use crate::Reader;

/// Hosts that are never reached through a proxy.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// Time-outs, trust and proxies of outgoing calls.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// How long a connection may take to open.
    pub connect_timeout: Duration,
    /// How long a whole exchange may take, unless a request says otherwise.
    pub timeout: Duration,
    /// Certificates trusted beside those of the system.
    pub authorities: Vec<Certificate>,
    /// The proxy of outgoing calls.
    pub proxy: Option<Url>,
    /// Hosts that are reached directly, in the form of `NO_PROXY`.
    pub direct: Option<String>,
    /// Whether compressed answers are asked for and unpacked; a proxy passes answers on as they are.
    pub unpack: bool,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            authorities: Vec::new(),
            proxy: None,
            direct: None,
            unpack: true,
        }
    }
}

/// How long an idle connection is kept: shorter than the five seconds after which many servers close theirs, so
/// that no request meets a connection that is being closed.
const IDLE: Duration = Duration::from_secs(4);

impl HttpSettings {
    /// Reads `http.connect_timeout`, `http.timeout`, `http.ca_file`, `https.proxy` and `no.proxy`.
    pub fn read(reader: &mut Reader) -> Self {
        let default = Self::default();
        Self {
            connect_timeout: reader.or("http.connect_timeout", default.connect_timeout),
            timeout: reader.or("http.timeout", default.timeout),
            authorities: authorities(reader),
            proxy: reader.optional("https.proxy"),
            direct: reader.optional("no.proxy"),
            unpack: default.unpack,
        }
    }
}

fn authorities(reader: &mut Reader) -> Vec<Certificate> {
    const KEY: &str = "http.ca_file";
    let Some(path) = reader.optional::<PathBuf>(KEY) else { return Vec::new() };
    let read = fs::read(&path).map_err(|error| error.to_string());
    let parsed =
        read.and_then(|pem| Certificate::from_pem_bundle(&pem).map_err(|error| crate::chain(&error)));
    parsed.unwrap_or_else(|why| {
        reader.problem(KEY, format!("cannot use `{}`: {why}", path.display()));
        Vec::new()
    })
}

/// A client with time-outs that follows no redirects, so that a peer cannot send it elsewhere.
///
/// Only the given proxy is used, never one found in the process environment, and none for loopback addresses.
pub fn http_client(settings: &HttpSettings) -> reqwest::Result<Client> {
    let mut client = Client::builder()
        .user_agent(concat!("stoa/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(settings.connect_timeout)
        .timeout(settings.timeout)
        .pool_idle_timeout(IDLE)
        .redirect(Policy::none())
        .gzip(settings.unpack)
        .zstd(settings.unpack)
        .tls_certs_merge(settings.authorities.iter().cloned())
        .no_proxy();
    if let Some(proxy) = &settings.proxy {
        let direct = settings
            .direct
            .as_ref()
            .map_or_else(|| LOOPBACK.to_owned(), |direct| format!("{LOOPBACK},{direct}"));
        client = client.proxy(Proxy::all(proxy.clone())?.no_proxy(NoProxy::from_string(&direct)));
    }
    client.build()
}
