use domain::entity::{Authentication, Entity};
use proptest::prelude::*;

use super::*;

const API: &str = "tenants/acme/apis/pets/api.yaml";

fn complaint(path: &str, text: &str) -> String {
    parse(path, text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn an_error_names_file_line_field_and_what_was_meant() {
    let cases = [
        (
            API,
            "apiVersion: stoa.io/v1\nkind: API\nmetadata: {name: pets}\nspec:\n  backend:\n    urll: http://a\n",
        ),
        (
            API,
            "apiVersion: stoa.io/v1\nkind: API\nmetadata: {name: pets}\nspec:\n  backend:\n    url: ftp://a\n",
        ),
        (
            API,
            "apiVersion: stoa.io/v1\nkind: API\nmetadata: {name: pets}\nspec:\n  backend:\n    url: http://a\n    timeout: soon\n",
        ),
        (
            API,
            "apiVersion: stoa.io/v1\nkind: API\nmetadata:\n  name: pets\n  tenant: globex\nspec:\n  backend: {url: http://a}\n",
        ),
        (
            API,
            "apiVersion: stoa.io/v1\nkind: API\nmetadata: {name: pets}\nspec:\n  backend: {url: http://a}\n  status: draft\n",
        ),
        (
            API,
            "apiVersion: stoa.io/v1\nkind: Api\nmetadata: {name: pets}\nspec:\n  backend: {url: http://a}\n",
        ),
        (API, "apiVersion: stoa.io/v2\nkind: API\n"),
        (
            API,
            "apiVersion: stoa.io/v1\nkind: API\nmetadata: {name: pets}\nspec:\n  backend: {url: http://a}\n  authentication: {type: oauth}\n",
        ),
        (API, "apiVersion: stoa.io/v1\nkind: API\nmetadata: {name: pets}\nspec: {}\n"),
        (API, "kind: API\n  spec: [\n"),
        (API, "spec:\n  backend: {}\n  backend: {}\n"),
        (API, ""),
        (
            "tenants/acme/users.yaml",
            "apiVersion: stoa.io/v1\nkind: Users\nspec:\n  users:\n    - email: a@x.org\n    - email: A@x.org\n",
        ),
        (
            "tenants/acme/users.yaml",
            "apiVersion: stoa.io/v1\nkind: Users\nspec:\n  users:\n    - email: a@x.org\n      roles: [god]\n",
        ),
        (
            "tenants/acme/apis/pets/deployments/dev.yaml",
            "apiVersion: stoa.io/v1\nkind: Deployment\nmetadata: {environment: prod}\nspec:\n  follow: head\n  gateways: [builtin]\n",
        ),
        (
            "tenants/acme/apis/pets/deployments/dev.yaml",
            "apiVersion: stoa.io/v1\nkind: Deployment\nspec:\n  pin: abc\n  gateways: [builtin]\n",
        ),
        ("tenants/Acme/tenant.yaml", "id: Acme\n"),
    ];
    let told: Vec<String> = cases.iter().map(|(path, text)| complaint(path, text)).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn the_originals_forms_are_read_and_told_apart() {
    let flat = "id: 0198c0de-0000-7000-8000-000000000001\nname: pets\ndisplay_name: Pets\nversion: 1.10\n\
                description: ''\nbackend_url: http://backend:80\nstatus: draft\ndeployments: {dev: false}\n";
    let document = parse(API, flat.as_bytes()).unwrap();
    let Entity::Api(api) = &document.entity else { panic!("an API") };
    assert_eq!((api.version.as_str(), api.display_name.as_str()), ("1.10", "Pets"));
    assert_eq!(api.uid.to_string(), "0198c0de-0000-7000-8000-000000000001");
    assert_eq!(api.authentication, Authentication::default());
    assert_eq!(document.form, Form::Flat);
    assert_eq!(document.ignored, ["status", "deployments"]);

    let style = "apiVersion: stoa.cab-i.com/v1\nkind: API\nmetadata:\n  name: pets\n  tenant: acme\n  \
                 version: 2.0.0\n  labels: {environment: dev, managed-by: stoa}\nspec:\n  displayName: Pets\n  \
                 status: draft\n  backend:\n    url: https://${HOST}/x\n    timeout: ${BACKEND_TIMEOUT:30}\n    \
                 retries: {count: 3, delay: 1000}\n    healthCheck: {enabled: false, path: /health, interval: 30}\n  \
                 gateway: {basePath: /pets, stripBasePath: true, protocols: [https]}\n  policies:\n    \
                 rateLimiting: {enabled: true, requestsPerMinute: 100, burstLimit: 20}\n    \
                 cors: {enabled: false}\n  monitoring: {metrics: {enabled: true}}\n";
    let document = parse(API, style.as_bytes()).unwrap();
    assert_eq!(document.form, Form::Original("stoa.cab-i.com/v1".to_owned()));
    assert_eq!(document.ignored, ["spec.status", "spec.monitoring", "spec.gateway.protocols"]);
    insta::assert_snapshot!(write(&document.entity));
}

#[test]
fn the_originals_other_flat_files_are_read() {
    let tenant = "id: acme\nname: Acme Inc\ndisplay_name: Acme\ncreated_at: 2026-01-01\nstatus: active\n\
                  settings:\n  max_apis: 10\n  environments: [dev, staging]\n";
    let Entity::Tenant(tenant) = parse("tenants/acme/tenant.yaml", tenant.as_bytes()).unwrap().entity else {
        panic!("a tenant")
    };
    assert_eq!((tenant.quotas.apis, tenant.environments.len()), (10, 2));

    let config = "environment: dev\ndescription: Dev\nvariables:\n  BACKEND_TIMEOUT: \"60\"\n  TRACING: true\n\
                  settings: {auto_deploy: true, require_approval: false}\nvault: {path_prefix: secret/data/dev}\n";
    let Entity::Environment(dev) = parse("environments/dev/config.yaml", config.as_bytes()).unwrap().entity
    else {
        panic!("an environment")
    };
    assert!(dev.settings.auto_deploy && !dev.settings.require_approval);
    assert_eq!(dev.variables.values().collect::<Vec<_>>(), ["60", "true"]);

    let users = "users:\n  - {email: Ada@x.org, roles: [devops], first_name: Ada, password: changeme}\n";
    let document = parse("tenants/acme/iam/users.yaml", users.as_bytes()).unwrap();
    assert_eq!(document.ignored, ["users.password"]);
    let Entity::Users(users) = document.entity else { panic!("users") };
    assert_eq!((users.users[0].email.as_str(), users.users[0].username.as_str()), ("ada@x.org", "ada@x.org"));

    let defaults = "infrastructure: {BASE_DOMAIN: x.org}\nvariables: {BACKEND_TIMEOUT: 30}\n\
                    default_policies: [{name: cors}]\nvault: {enabled: false, path_prefix: secret/data}\n";
    let Entity::Defaults(defaults) = parse("_defaults.yaml", defaults.as_bytes()).unwrap().entity else {
        panic!("defaults")
    };
    assert_eq!(defaults.variables.len(), 2);
}

#[test]
fn a_secret_written_out_is_refused_and_not_repeated() {
    let text = "apiVersion: stoa.io/v1\nkind: Gateway\nmetadata: {name: wm}\nspec:\n  type: webmethods\n  \
                address: http://a\n  webmethods: {adminUrl: 'http://a', credentials: hunter2}\n";
    let told = complaint("environments/dev/gateways/wm.yaml", text);
    assert!(told.contains("vault:path#key") && !told.contains("hunter2"), "{told}");
}

/// Documents of every kind, as they are written.
const WRITTEN: [(&str, &str); 11] = [
    ("_defaults.yaml", "variables: {A: x}\n"),
    ("environments/dev/config.yaml", "environment: dev\nvariables: {LIMIT: \"60\"}\n"),
    (
        "environments/dev/gateways/wm.yaml",
        "apiVersion: stoa.io/v1\nkind: Gateway\nmetadata: {name: wm}\nspec:\n  type: webmethods\n  \
         address: http://a\n  webmethods: {adminUrl: 'http://a', credentials: 'vault:gateways/wm#password'}\n",
    ),
    (
        "plans/gold.yaml",
        "apiVersion: stoa.io/v1\nkind: Plan\nmetadata: {name: gold}\nspec: {burst: 3, autoApproveRoles: [devops]}\n",
    ),
    (
        "tenants/acme/tenant.yaml",
        "apiVersion: stoa.io/v1\nkind: Tenant\nmetadata: {name: acme}\nspec:\n  environments: [dev]\n  producers:\n    \
         ci: {keyId: k, publicKey: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo, operations: [deploy, rollback]}\n",
    ),
    ("tenants/acme/users.yaml", "users:\n  - {email: ada@x.org, roles: [devops]}\n"),
    ("tenants/acme/environments/dev.yaml", "variables: {HOST: a.example}\n"),
    (
        API,
        "apiVersion: stoa.io/v1\nkind: API\nmetadata: {name: pets, version: '1.1'}\nspec:\n  backend:\n    \
         url: https://${HOST}/x\n    timeout: ${T:30}\n    retries: {count: 3}\n    healthCheck: {path: /up}\n  \
         authentication: {type: oauth2, oauth2: {scopes: [pets]}}\n  policies:\n    cors: {allowedOrigins: '*'}\n    \
         rateLimiting: {requestsPerMinute: 100}\n    caching: {ttl: 5}\n    requestValidation: {}\n",
    ),
    (
        "tenants/acme/apis/pets/deployments/dev.yaml",
        "apiVersion: stoa.io/v1\nkind: Deployment\nmetadata: {environment: dev}\nspec:\n  \
         pin: 0123456789abcdef0123456789abcdef01234567\n  gateways: [builtin]\n",
    ),
    (
        "tenants/acme/applications/shop.yaml",
        "apiVersion: stoa.io/v1\nkind: Application\nmetadata: {name: shop}\nspec:\n  rateLimiting: {dailyQuota: 5}\n  \
         subscriptions:\n    - {api: pets, plan: gold, environments: [dev], state: approved, approvedAt: 2026-01-02T03:04:05Z}\n",
    ),
    (
        "requests/prod/2026/01/req-20260102-0a1b2c3d.yaml",
        "apiVersion: stoa.io/v1\nkind: PromotionRequest\nspec:\n  tenant: acme\n  api: pets\n  version: '1'\n  \
         source: staging\n  target: prod\n  createdBy: ada\n  createdAt: 2026-01-02T03:04:05Z\n  justification: it works\n  \
         impact: low\n  state: pending\n  history: [{action: created, at: 2026-01-02T03:04:05Z, by: ada}]\n",
    ),
];

#[test]
fn a_schema_accepts_what_is_written_and_refuses_what_the_reader_refuses() {
    for ((path, text), kind) in WRITTEN.into_iter().zip(Kind::ALL) {
        let entity = parse(path, text.as_bytes()).unwrap_or_else(|error| panic!("{error}")).entity;
        let mut written: serde_json::Value = serde_yaml::from_str(&write(&entity)).unwrap();
        assert_eq!(written["kind"], kind.as_str());
        let schema = jsonschema::validator_for(schema(kind).as_value()).unwrap();
        let told = |document: &serde_json::Value| {
            let errors = schema.iter_errors(document);
            errors.map(|error| format!("{}: {error}", error.instance_path())).collect::<Vec<_>>()
        };
        assert_eq!(told(&written), [] as [&str; 0], "{written:#}");
        written["spec"]["nobodyKnows"] = true.into();
        written["apiVersion"] = "stoa.io/v2".into();
        assert_eq!(told(&written).len(), 2, "{:?}", told(&written));
    }
}

#[test]
fn a_file_that_is_too_large_is_refused_unread() {
    let told = parse(API, &vec![b' '; MAX_DOCUMENT_BYTES + 1]).unwrap_err().to_string();
    assert!(told.contains("4194305 bytes"), "{told}");
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,24}",
        "\\PC{0,12}",
        Just("1.10".to_owned()),
        Just("null".to_owned()),
        Just("~".to_owned()),
        Just("yes".to_owned()),
        Just("multi\nline\n\n text ".to_owned()),
        Just("- a: [b".to_owned()),
    ]
}

proptest! {
    #[test]
    fn an_api_is_read_as_it_was_written(
        display_name in text(), description in text(), version in text(), category in text(),
        tags in proptest::collection::btree_set(text(), 0..3),
        scopes in proptest::option::of(proptest::collection::btree_set(text(), 0..3)),
        timeout in proptest::option::of(any::<u32>()),
        base_path in proptest::option::of(text()),
    ) {
        let document = parse(API, b"name: pets\nbackend_url: http://a\n").unwrap();
        let Entity::Api(mut api) = document.entity else { panic!("an API") };
        api.display_name = display_name;
        api.description = description;
        api.version = version;
        api.category = category;
        api.tags = tags;
        api.authentication = scopes.map_or(Authentication::None, |scopes| Authentication::OAuth2 { scopes });
        api.backend.timeout_seconds = timeout.map_or(
            domain::variable::Templated::Template("${T:5}".to_owned()),
            domain::variable::Templated::Literal,
        );
        api.gateway.base_path = base_path;
        let entity = Entity::Api(api);
        let text = write(&entity);
        let read = parse(API, text.as_bytes());
        prop_assert_eq!(read.map(|document| document.entity), Ok(entity), "{}", text);
    }

    #[test]
    fn nothing_that_is_no_document_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(API, &bytes);
    }

    #[test]
    fn no_mangled_document_makes_the_reader_panic(at in 0_usize..300, with in "\\PC{0,3}") {
        let text = include_str!("../initial/api.yaml");
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let mangled = format!("{}{with}{}", &text[..at], &text[at..]);
        let _ = parse(API, mangled.as_bytes());
    }
}
