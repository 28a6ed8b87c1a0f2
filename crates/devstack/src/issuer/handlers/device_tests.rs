//! A sign-in from the terminal, seen from the program and from the browser.

use std::{sync::Arc, time::Duration};

use actix_web::{App, test};
use runtime::testing::FixedClock;
use serde_json::Value;

use super::{
    tests::{BASE, ask, form, served, verified},
    *,
};
use crate::issuer::{People, User};

struct SignIn {
    _home: tempfile::TempDir,
    clock: FixedClock,
    state: Data<Addressed>,
    begun: Value,
}

impl SignIn {
    async fn begin() -> Self {
        let (home, clock) = (tempfile::tempdir().unwrap(), FixedClock::default());
        let demo = "demo".parse().unwrap();
        let people = People::default()
            .with_user(User::of(&demo, "ada", "Ada", "tenant-admin"))
            .with_user(User::of(&demo, "bob", "Bob", "viewer"));
        let state = served(&home, Arc::new(people), &clock);
        let request = test::TestRequest::post().uri("/device").set_form([("client_id", PEOPLES_CLIENT)]);
        let (status, begun) = ask(&state, request).await;
        assert_eq!(status, 200, "{begun}");
        Self { _home: home, clock, state, begun }
    }

    fn text(&self, name: &str) -> &str {
        self.begun[name].as_str().unwrap()
    }

    async fn token(&self) -> (u16, Value) {
        let pairs = [
            ("grant_type", DEVICE_GRANT),
            ("device_code", self.text("device_code")),
            ("client_id", PEOPLES_CLIENT),
        ];
        ask(&self.state, form(&pairs)).await
    }

    async fn renew(&self, refresh_token: &str) -> (u16, Value) {
        let pairs = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("client_id", PEOPLES_CLIENT),
        ];
        ask(&self.state, form(&pairs)).await
    }

    async fn browse(&self, request: test::TestRequest) -> (u16, String) {
        let app = test::init_service(App::new().app_data(self.state.clone()).configure(routes)).await;
        let answer = test::call_service(&app, request.to_request()).await;
        let header = |name: &str| answer.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            ["content-type", "cache-control", "content-security-policy", "x-frame-options"].map(header),
            [
                "text/html; charset=utf-8",
                "no-store",
                "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
                "DENY",
            ]
        );
        let status = answer.status().as_u16();
        (status, String::from_utf8(test::read_body(answer).await.to_vec()).unwrap())
    }

    async fn page(&self) -> String {
        let path = self.text("verification_uri_complete").strip_prefix(BASE).unwrap();
        let (status, page) = self.browse(test::TestRequest::get().uri(path)).await;
        assert_eq!(status, 200);
        page
    }

    /// Sends the form of the page as a browser would.
    async fn choose(&self, username: &str, decision: &str) -> (u16, String) {
        let page = self.page().await;
        let key = page.split_once(r#"name="form_key" value=""#).unwrap().1.split_once('"').unwrap().0;
        self.send(key, username, decision).await
    }

    async fn send(&self, key: &str, username: &str, decision: &str) -> (u16, String) {
        let fields = [
            ("user_code", self.text("user_code")),
            ("form_key", key),
            ("username", username),
            ("decision", decision),
        ];
        self.browse(test::TestRequest::post().uri("/activate").set_form(fields)).await
    }
}

fn refusal(error: &str, description: &str) -> (u16, Value) {
    (400, json!({ "error": error, "error_description": description }))
}

#[actix_web::test]
async fn a_program_gets_the_token_of_whom_a_person_chose() {
    let sign_in = SignIn::begin().await;
    insta::assert_json_snapshot!(sign_in.begun, @r#"
    {
      "device_code": "AJ482ngXtVPxjy7MaginReOBH75c-pg21XMRr07siig",
      "user_code": "CGDG-JGKH",
      "verification_uri": "http://127.0.0.1:8081/activate",
      "verification_uri_complete": "http://127.0.0.1:8081/activate?user_code=CGDG-JGKH",
      "expires_in": 600,
      "interval": 1
    }
    "#);
    assert_eq!(sign_in.token().await, refusal("authorization_pending", "nobody decided yet"));
    assert_eq!(sign_in.token().await, refusal("slow_down", "wait five seconds longer between two questions"));

    let page = sign_in.page().await;
    assert!(page.contains(r#"<option value="bob">bob (Bob Example; demo: viewer)</option>"#), "{page}");
    assert!(page.contains("<strong>CGDG-JGKH</strong>"), "{page}");
    let (status, page) = sign_in.choose("ada", "allow").await;
    assert_eq!(status, 200);
    assert!(page.contains("<p>You are signed in as ada. This page may be closed.</p>"), "{page}");

    let (status, mut answer) = sign_in.token().await;
    assert_eq!(status, 200, "{answer}");
    let claims = verified(&sign_in.state, &answer).await;
    assert_eq!((&claims["preferred_username"], &claims["azp"]), (&json!("ada"), &json!("stoa-cli")));
    answer["access_token"] = json!("checked");
    answer["refresh_token"] = json!(answer["refresh_token"].as_str().unwrap().len());
    insta::assert_json_snapshot!(answer, @r#"
    {
      "access_token": "checked",
      "token_type": "Bearer",
      "expires_in": 43200,
      "scope": "openid profile email",
      "refresh_token": 60,
      "refresh_expires_in": 2592000
    }
    "#);
    assert_eq!(
        sign_in.token().await,
        refusal("invalid_grant", "the device code is not known, or not any more")
    );
}

#[actix_web::test]
async fn a_refresh_token_gives_another_one_and_is_good_for_one_use() {
    let sign_in = SignIn::begin().await;
    sign_in.choose("ada", "allow").await;
    let (_, first) = sign_in.token().await;
    let token = first["refresh_token"].as_str().unwrap();
    sign_in.clock.advance(Duration::from_hours(29 * 24));
    let (status, second) = sign_in.renew(token).await;
    assert_eq!(status, 200, "{second}");
    assert_eq!(verified(&sign_in.state, &second).await["preferred_username"], "ada");
    assert_ne!(second["refresh_token"], first["refresh_token"]);

    let refused = refusal("invalid_grant", "the refresh token is not known, or not any more: sign in again");
    assert_eq!(sign_in.renew(token).await, refused);
    // Two held it, so the session has ended for both.
    assert_eq!(sign_in.renew(second["refresh_token"].as_str().unwrap()).await, refused);
}

#[actix_web::test]
async fn what_a_person_refuses_or_forgets_gives_no_token() {
    let sign_in = SignIn::begin().await;
    let (status, page) = sign_in.choose("ada", "deny").await;
    assert!(status == 200 && page.contains("The sign-in was refused."), "{page}");
    assert_eq!(sign_in.token().await, refusal("access_denied", "the sign-in was refused"));

    let sign_in = SignIn::begin().await;
    sign_in.clock.advance(Duration::from_mins(10));
    assert_eq!(sign_in.token().await, refusal("expired_token", "nobody decided in time"));
    let path = sign_in.text("verification_uri_complete").strip_prefix(BASE).unwrap();
    let (status, page) = sign_in.browse(test::TestRequest::get().uri(path)).await;
    assert_eq!(status, 404);
    assert!(page.contains(r#"<p role="alert">This code is not known, or not any more.</p>"#), "{page}");
}

#[actix_web::test]
async fn a_form_from_elsewhere_or_for_nobody_decides_nothing() {
    let sign_in = SignIn::begin().await;
    assert_eq!(sign_in.send("guess", "ada", "allow").await.0, 403);
    let (status, page) = sign_in.choose("<eve>", "allow").await;
    assert!(status == 400 && page.contains("There is no user &lt;eve&gt;."), "{page}");
    assert_eq!(sign_in.token().await, refusal("authorization_pending", "nobody decided yet"));
    let (status, page) = sign_in.browse(test::TestRequest::get().uri("/activate")).await;
    assert!(status == 200 && page.contains(r#"<input name="user_code""#), "{page}");
}

#[actix_web::test]
async fn another_client_cannot_sign_people_in() {
    let sign_in = SignIn::begin().await;
    let code = sign_in.text("device_code");
    for request in [
        test::TestRequest::post().uri("/device").set_form([("client_id", "pipeline")]),
        test::TestRequest::post().uri("/device").set_form([("scope", "openid")]),
        form(&[("grant_type", DEVICE_GRANT), ("device_code", code)]),
        form(&[("grant_type", "refresh_token"), ("refresh_token", "any"), ("client_id", "pipeline")]),
    ] {
        let (status, answer) = ask(&sign_in.state, request).await;
        assert_eq!((status, &answer["error"]), (401, &json!("invalid_client")), "{answer}");
    }
}

#[actix_web::test]
async fn sign_ins_that_nobody_ends_are_bounded() {
    let sign_in = SignIn::begin().await;
    let begin = || test::TestRequest::post().uri("/device").set_form([("client_id", PEOPLES_CLIENT)]);
    for _ in 1..64 {
        assert_eq!(ask(&sign_in.state, begin()).await.0, 200);
    }
    let description = "64 sign-ins wait already; try again when some of them ended";
    assert_eq!(
        ask(&sign_in.state, begin()).await,
        (503, json!({ "error": "temporarily_unavailable", "error_description": description }))
    );
}
