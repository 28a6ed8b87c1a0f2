use insta::assert_json_snapshot;
use serde_json::json;

use crate::app::{AUDIENCE, App};

#[tokio::test]
async fn without_a_token_the_answer_says_how_to_send_one() {
    let app = App::start();
    let answer = app.get("/v1/whoami", "").await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer realm=\"stoa\""));
    assert_json_snapshot!(answer.json(), @r#"
    {
      "type": "/errors/unauthenticated",
      "title": "Sign-in is needed",
      "status": 401,
      "detail": "send an access token as `Authorization: Bearer`"
    }
    "#);
}

#[tokio::test]
async fn a_refused_token_is_named_in_the_challenge() {
    let app = App::start();
    let token = app.issuer.person("other-service", "ada", "acme", &["devops"]);
    let answer = app.get("/v1/whoami", &token).await;
    let challenge = "Bearer realm=\"stoa\", error=\"invalid_token\", error_description=\"the token is for another audience\"";
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, challenge));
}

#[tokio::test]
async fn a_caller_is_known_by_his_token() {
    let app = App::start();
    let answer = app.get("/v1/whoami", &app.issuer.person(AUDIENCE, "ada", "acme", &[])).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "ada"));
}

#[tokio::test]
async fn a_member_acts_in_his_own_tenant_only() {
    let app = App::start();
    let ada = app.issuer.person(AUDIENCE, "ada", "acme", &["tenant-admin"]);
    let own = app.get("/v1/tenants/acme/apis", &ada).await;
    assert_eq!((own.status, own.text.as_str()), (200, "acme"));
    // The answer is the same whether the other tenant exists or not.
    let other = app.get("/v1/tenants/other/apis", &ada).await;
    assert_eq!(other.status, 403);
    assert_json_snapshot!(other.json(), @r#"
    {
      "type": "/errors/forbidden",
      "title": "Not allowed",
      "status": 403,
      "detail": "no access to tenant `other`"
    }
    "#);
}

#[tokio::test]
async fn a_role_that_does_not_grant_the_permission_is_forbidden() {
    let app = App::start();
    let viewer = app.issuer.person(AUDIENCE, "vera", "acme", &["viewer"]);
    let request = app.request("/v1/tenants/acme/apis", &viewer).build().unwrap();
    let mut post = request.try_clone().unwrap();
    *post.method_mut() = reqwest::Method::POST;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client.execute(post).await.unwrap();
    assert_eq!(response.status(), 403);
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body["detail"], json!("permission `apis:create` is required"));
}

#[tokio::test]
async fn only_the_platforms_administrator_acts_across_tenants() {
    let app = App::start();
    let platform = app.issuer.person(AUDIENCE, "root", "stoa", &["cpi-admin"]);
    let pretender = app.issuer.person(AUDIENCE, "eve", "acme", &["cpi-admin"]);
    for path in ["/v1/tenants/other/apis", "/v1/everything"] {
        assert_eq!(app.get(path, &platform).await.status, 200, "{path}");
        assert_eq!(app.get(path, &pretender).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn what_belongs_to_no_tenant_is_seen_by_every_member() {
    let app = App::start();
    let viewer = app.issuer.person(AUDIENCE, "vera", "acme", &["viewer"]);
    assert_eq!(app.get("/v1/environments", &viewer).await.status, 200);
    let nobody = app.issuer.person(AUDIENCE, "nora", "acme", &[]);
    assert_eq!(app.get("/v1/environments", &nobody).await.status, 403);
}

#[tokio::test]
async fn a_tenant_that_cannot_exist_is_not_found() {
    let app = App::start();
    let ada = app.issuer.person(AUDIENCE, "ada", "acme", &["viewer"]);
    let answer = app.get("/v1/tenants/Not..A..Name/apis", &ada).await;
    assert_eq!((answer.status, answer.json()["type"].clone()), (404, json!("/errors/tenant-not-found")));
}
