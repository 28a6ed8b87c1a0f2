use std::sync::Arc;

use actix_web::{App, http::header::AUTHORIZATION, test};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::name::TenantName;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use runtime::testing::{FixedClock, FixedRandom};
use serde_json::Value;

use super::*;
use crate::issuer::{Client, Directory, Issuer, Key, People, Sessions, User, entropy::testing::Counting};

pub(super) const BASE: &str = "http://127.0.0.1:8081";

fn people() -> People {
    let demo: TenantName = "demo".parse().unwrap();
    People::default().with_user(User::of(&demo, "ada", "Ada", "tenant-admin")).with_client(Client {
        id: "pipeline".to_owned(),
        secret: "s3cret %".into(),
        tenant: demo,
        roles: vec!["devops".to_owned()],
        scopes: vec!["pets:read".to_owned()],
    })
}

fn addressed(home: &tempfile::TempDir) -> Data<Addressed> {
    served(home, Arc::new(people()), &FixedClock::default())
}

/// An issuer of the test's own people and time.
pub(super) fn served(
    home: &tempfile::TempDir,
    directory: Arc<dyn Directory>,
    clock: &FixedClock,
) -> Data<Addressed> {
    let issuer = Issuer::new(
        Key::read_or_make(&home.path().join("issuer.pem")).unwrap(),
        directory,
        Sessions::open(&home.path().join("sessions.json")).unwrap(),
        Arc::new(clock.clone()),
        Arc::new(FixedRandom::new(1)),
    )
    .drawing(Arc::new(Counting::default()));
    Data::new(Addressed { issuer, base: BASE.to_owned() })
}

pub(super) async fn ask(state: &Data<Addressed>, request: test::TestRequest) -> (u16, Value) {
    let app = test::init_service(App::new().app_data(state.clone()).configure(routes)).await;
    let answer = test::call_service(&app, request.to_request()).await;
    let status = answer.status().as_u16();
    (status, test::read_body_json(answer).await)
}

pub(super) fn form(pairs: &[(&str, &str)]) -> test::TestRequest {
    test::TestRequest::post().uri("/token").set_form(pairs)
}

/// Checks the token as a service would: with the keys that the issuer publishes.
pub(super) async fn verified(state: &Data<Addressed>, answer: &Value) -> Value {
    let token = answer["access_token"].as_str().unwrap();
    let (_, keys) = ask(state, test::TestRequest::get().uri("/keys")).await;
    let keys: JwkSet = serde_json::from_value(keys).unwrap();
    let kid = decode_header(token).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["mcp-gateway"]);
    validation.set_issuer(&[BASE]);
    validation.validate_exp = false;
    decode::<Value>(token, &key, &validation).unwrap().claims
}

#[actix_web::test]
async fn a_named_user_gets_a_token_with_keycloaks_claims() {
    let home = tempfile::tempdir().unwrap();
    let state = addressed(&home);
    let (status, answer) = ask(&state, form(&[("grant_type", DEVELOPMENT_GRANT), ("username", "ada")])).await;
    assert_eq!((status, &answer["expires_in"]), (200, &json!(43200)));
    let mut claims = verified(&state, &answer).await;
    claims["jti"] = json!("drawn");
    insta::assert_json_snapshot!(claims, @r#"
    {
      "exp": 1772409600,
      "iat": 1772366400,
      "jti": "drawn",
      "iss": "http://127.0.0.1:8081",
      "aud": [
        "control-plane-api",
        "mcp-gateway"
      ],
      "sub": "54800f70-8bab-5606-8c55-7a9b7453572c",
      "typ": "Bearer",
      "azp": "stoa-cli",
      "realm_access": {
        "roles": [
          "tenant-admin"
        ]
      },
      "scope": "openid profile email",
      "preferred_username": "ada",
      "tenant_id": "demo",
      "email": "ada@demo.example",
      "email_verified": true,
      "name": "Ada Example",
      "given_name": "Ada",
      "family_name": "Example"
    }
    "#);
}

#[actix_web::test]
async fn a_client_proves_itself_in_the_header_or_the_form() {
    let home = tempfile::tempdir().unwrap();
    let state = addressed(&home);
    let header = format!("Basic {}", STANDARD.encode("pipeline:s3cret+%25"));
    let in_header = form(&[("grant_type", "client_credentials")]).insert_header((AUTHORIZATION, header));
    let in_form = form(&[
        ("grant_type", "client_credentials"),
        ("client_id", "pipeline"),
        ("client_secret", "s3cret %"),
    ]);
    for request in [in_header, in_form] {
        let (status, answer) = ask(&state, request).await;
        assert_eq!(status, 200, "{answer}");
        let claims = verified(&state, &answer).await;
        assert_eq!(claims["preferred_username"], "service-account-pipeline");
        assert_eq!(claims["scope"], "profile email pets:read");
        assert_eq!(claims["realm_access"]["roles"], json!(["devops"]));
    }
}

#[actix_web::test]
async fn what_is_not_known_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let state = addressed(&home);
    for (request, status, error) in [
        (form(&[("grant_type", DEVELOPMENT_GRANT), ("username", "eve")]), 400, "invalid_grant"),
        (form(&[("grant_type", DEVELOPMENT_GRANT)]), 400, "invalid_grant"),
        (form(&[("grant_type", "password"), ("username", "ada")]), 400, "unsupported_grant_type"),
        (form(&[("username", "ada")]), 400, "invalid_request"),
        (form(&[("grant_type", "client_credentials")]), 401, "invalid_client"),
        (
            form(&[
                ("grant_type", "client_credentials"),
                ("client_id", "pipeline"),
                ("client_secret", "guess"),
            ]),
            401,
            "invalid_client",
        ),
    ] {
        let (seen, answer) = ask(&state, request).await;
        assert_eq!((seen, &answer["error"]), (status, &json!(error)), "{answer}");
    }
}

#[actix_web::test]
async fn the_key_and_the_subjects_outlive_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let ada = [("grant_type", DEVELOPMENT_GRANT), ("username", "ada")];
    let (_, answer) = ask(&addressed(&home), form(&ada)).await;
    let restarted = addressed(&home);
    let before = verified(&restarted, &answer).await;
    let (_, answer) = ask(&restarted, form(&ada)).await;
    assert_eq!(verified(&restarted, &answer).await["sub"], before["sub"]);
}

#[actix_web::test]
async fn discovery_names_addresses_that_answer() {
    let home = tempfile::tempdir().unwrap();
    let state = addressed(&home);
    let (_, metadata) = ask(&state, test::TestRequest::get().uri("/.well-known/openid-configuration")).await;
    assert_eq!(metadata["issuer"], BASE);
    let keys = metadata["jwks_uri"].as_str().unwrap().strip_prefix(BASE).unwrap();
    let (status, keys) = ask(&state, test::TestRequest::get().uri(keys)).await;
    assert_eq!((status, &keys["keys"][0]["kty"]), (200, &json!("RSA")));
    assert_eq!(keys["keys"][0]["d"], Value::Null, "the private half stays here");
}

#[actix_web::test]
async fn whoever_joins_or_leaves_does_so_without_a_restart() {
    #[derive(Debug, Default)]
    struct Declared(std::sync::Mutex<People>);

    impl Directory for Declared {
        fn people(&self) -> Arc<People> {
            Arc::new(self.0.lock().unwrap().clone())
        }
    }

    let (home, declared) = (tempfile::tempdir().unwrap(), Arc::new(Declared::default()));
    let state = served(&home, Arc::clone(&declared) as Arc<dyn Directory>, &FixedClock::default());
    let ada = [("grant_type", DEVELOPMENT_GRANT), ("username", "ada")];
    assert_eq!(ask(&state, form(&ada)).await.0, 400);
    *declared.0.lock().unwrap() = people();
    assert_eq!(ask(&state, form(&ada)).await.0, 200);
    *declared.0.lock().unwrap() = People::default();
    assert_eq!(
        ask(&state, form(&ada)).await,
        (400, json!({ "error": "invalid_grant", "error_description": "there is no user `ada`" }))
    );
}
