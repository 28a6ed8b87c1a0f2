use std::time::Duration;

use domain::name::EnvironmentName;
use runtime::{Addresses, HttpSettings, Reader, SettingsError, Source, telemetry};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

fn problems(error: &SettingsError) -> Vec<String> {
    error.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn every_problem_is_reported_with_its_key() {
    let source = Source::given([
        ("KAFKA_TIMEOUT", "soon"),
        ("GITLAB_URL", "not a url"),
        ("environment", "Production!"),
        ("LOG_FORMAT", "xml"),
    ]);
    let mut reader = Reader::new(&source);
    let servers = reader.required::<Vec<String>>("kafka.bootstrap_servers");
    reader.or("kafka.timeout", Duration::from_secs(1));
    reader.optional::<Url>("gitlab.url");
    reader.optional::<EnvironmentName>("environment");
    telemetry::Settings::read(&mut reader);
    let error = reader.complete(|| servers).unwrap_err();
    insta::assert_snapshot!(error, @r"
    5 settings are wrong:
      KAFKA_BOOTSTRAP_SERVERS (kafka.bootstrap_servers) is not set
      KAFKA_TIMEOUT (kafka.timeout) is `soon`: expected a duration such as `30s`, `500ms` or `1h 30m`
      GITLAB_URL (gitlab.url) is `not a url`: expected a URL such as `https://example.org`: relative URL without a base
      ENVIRONMENT (environment) is `Production!`: expected the name of an environment: `Production!` is not an environment name: use lower-case letters, digits and single hyphens, starting and ending with a letter or digit
      LOG_FORMAT (log.format) is `xml`: expected one of `json`, `text`
    ");
}

#[test]
fn a_secret_is_neither_printed_nor_blank() {
    let source = Source::given([("GITLAB_TOKEN", "hunter2"), ("AWX_TOKEN", "  \t")]);
    let mut reader = Reader::new(&source);
    let token = reader.required::<SecretString>("gitlab.token").unwrap();
    assert_eq!(token.expose_secret(), "hunter2");
    assert!(!format!("{token:?}").contains("hunter2"));
    assert!(reader.required::<SecretString>("awx.token").is_none());
    assert_eq!(problems(&reader.finish().unwrap_err()), ["AWX_TOKEN (awx.token) is not set"]);
}

#[test]
fn a_misspelt_key_of_the_file_is_a_problem() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stoa.yaml");
    std::fs::write(&path, "log:\n  levle: debug\nhttp:\n  timeout: 3s\n").unwrap();
    let source = Source::default().with_file(&path).unwrap();
    let mut reader = Reader::new(&source);
    telemetry::Settings::read(&mut reader);
    assert_eq!(HttpSettings::read(&mut reader).timeout, Duration::from_secs(3));
    let error = reader.finish().unwrap_err();
    assert_eq!(problems(&error), ["LOG_LEVLE (log.levle) is unknown; did you mean `log.level`?"]);
}

#[test]
fn the_original_platforms_spelling_of_levels_is_understood() {
    let source = Source::given([("LOG_LEVEL", "WARNING"), ("LOG_FORMAT", "TEXT")]);
    let mut reader = Reader::new(&source);
    let settings = telemetry::Settings::read(&mut reader);
    assert_eq!((settings.level.as_str(), settings.format), ("warn", telemetry::Format::Text));
    reader.finish().unwrap();
}

#[test]
fn one_domain_derives_every_address() {
    let source = Source::given([("BASE_DOMAIN", "Example.org"), ("AWX_URL", "http://10.0.0.7:8052")]);
    let mut reader = Reader::new(&source);
    let addresses = Addresses::read(&mut reader).unwrap();
    reader.finish().unwrap();
    insta::assert_debug_snapshot!([
        &addresses.api, &addresses.devops, &addresses.portal, &addresses.auth, &addresses.gateway,
        &addresses.mcp, &addresses.awx, &addresses.argocd, &addresses.vault,
    ].map(Url::as_str), @r#"
    [
        "https://api.example.org/",
        "https://devops.example.org/",
        "https://portal.example.org/",
        "https://auth.example.org/",
        "https://gateway.example.org/",
        "https://mcp.example.org/",
        "http://10.0.0.7:8052/",
        "https://argocd.example.org/",
        "https://vault.example.org/",
    ]
    "#);
}

#[test]
fn without_a_domain_every_missing_address_is_named() {
    let source = Source::given([("KEYCLOAK_URL", "http://127.0.0.1:8081"), ("MCP_URL", "127.0.0.1")]);
    let mut reader = Reader::new(&source);
    assert_eq!(Addresses::read(&mut reader), None);
    let error = reader.finish().unwrap_err();
    assert_eq!(
        problems(&error),
        [
            "MCP_URL (mcp.url) is `127.0.0.1`: expected a URL such as `https://example.org`: relative URL without a base",
            "BASE_DOMAIN (base_domain) is not set; it derives API_URL, DEVOPS_URL, PORTAL_URL, GATEWAY_URL, AWX_URL, \
             ARGOCD_URL, VAULT_URL, or set each of them",
        ]
    );
}

#[test]
fn a_base_domain_with_a_scheme_is_refused() {
    let source = Source::given([("BASE_DOMAIN", "https://example.org")]);
    let mut reader = Reader::new(&source);
    assert_eq!(Addresses::read(&mut reader), None);
    let error = reader.finish().unwrap_err();
    assert_eq!(
        problems(&error),
        [
            "BASE_DOMAIN (base_domain) is `https://example.org`: expected a domain such as `example.org`, without \
          scheme, port or path"
        ]
    );
}

#[test]
fn an_unreadable_certificate_file_is_a_problem() {
    let source = Source::given([("HTTP_CA_FILE", "/nowhere/ca.pem")]);
    let mut reader = Reader::new(&source);
    HttpSettings::read(&mut reader);
    let error = reader.finish().unwrap_err();
    assert_eq!(
        problems(&error),
        ["HTTP_CA_FILE (http.ca_file) cannot use `/nowhere/ca.pem`: No such file or directory (os error 2)"]
    );
}
