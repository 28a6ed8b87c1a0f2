use actix_web::http::Method;
use insta::assert_json_snapshot;
use serde_json::json;

use crate::testing::Plane;

#[actix_web::test]
async fn a_gateway_is_put_replaced_and_removed_by_the_platform() {
    let plane = Plane::with_acme(None).await;
    let path = "/v1/environments/dev/gateways/edge";
    let body = json!({ "type": "builtin", "address": "http://127.0.0.1:8081" });
    assert_eq!(plane.member("tenant-admin", Method::PUT, path).json(&body).send().await.status, 403);
    let put = plane.root(Method::PUT, path).json(&body).send().await;
    assert_json_snapshot!(put.whole(), @r#"
    {
      "status": 201,
      "headers": {
        "etag": "\"6cd021a04b22c44b0949f8730f4229cbf6f54b1c00e0417d964ab4182b640637\"",
        "stoa-changed": "true",
        "stoa-commit": "09c5e753ed97b6d6c43fa7e0de97ed78b900a244"
      },
      "body": {
        "id": "edge",
        "environment": "dev",
        "display_name": "edge",
        "description": "",
        "type": "builtin",
        "address": "http://127.0.0.1:8081",
        "webmethods": null,
        "problems": []
      }
    }
    "#);
    plane.relay();
    assert_eq!(
        plane.root(Method::PUT, path).json(&body).send().await.body()["type"],
        "/errors/precondition-required"
    );
    let moved = json!({ "type": "builtin", "address": "http://127.0.0.1:8082" });
    let put = plane.root(Method::PUT, path).json(&moved).header("if-match", put.header("etag").unwrap());
    assert_eq!(put.send().await.body()["address"], "http://127.0.0.1:8082");
    plane.relay();
    let list = plane.member("viewer", Method::GET, "/v1/environments/dev/gateways").send().await;
    assert_eq!(list.body()["items"].as_array().unwrap().len(), 2);
    assert_eq!(plane.root(Method::DELETE, path).send().await.status, 204);
    assert_eq!(plane.root(Method::DELETE, path).send().await.body()["type"], "/errors/gateway-not-found");
}

#[actix_web::test]
async fn a_gateway_in_use_stays() {
    let plane = Plane::with_acme(None).await;
    plane.declare("pets").await;
    let answer = plane.root(Method::DELETE, "/v1/environments/dev/gateways/builtin").send().await;
    assert_json_snapshot!(answer.body(), @r#"
    {
      "reason": "still-referenced",
      "referenced_by": [
        "tenants/acme/apis/pets/deployments/dev"
      ],
      "type": "/errors/still-referenced",
      "title": "Still in use",
      "status": 409,
      "detail": "gateway `builtin` of `dev` is still in use"
    }
    "#);
}

#[actix_web::test]
async fn a_secret_itself_is_refused() {
    let plane = Plane::new().await;
    let body = json!({
        "type": "webmethods",
        "address": "https://gateway.example",
        "webmethods": { "admin_url": "https://gateway.example:9072", "credentials": "hunter2" },
    });
    let answer = plane.root(Method::PUT, "/v1/environments/dev/gateways/big").json(&body).send().await;
    assert_json_snapshot!(answer.body(), @r#"
    {
      "field": "webmethods.credentials",
      "type": "/errors/inline-secret",
      "title": "Secret stands in the text",
      "status": 422,
      "detail": "a secret is given as a reference `vault:path#key`, never as itself"
    }
    "#);
}

#[actix_web::test]
async fn environments_are_shown_without_their_variables() {
    let plane = Plane::with_acme(None).await;
    let answer = plane.member("viewer", Method::GET, "/v1/environments/dev").send().await;
    assert_json_snapshot!(answer.body(), @r#"
    {
      "id": "dev",
      "display_name": "dev",
      "description": "Where APIs are tried; everything comes at once.",
      "auto_deploy": true,
      "require_approval": false,
      "gateways": [
        "builtin"
      ],
      "problems": []
    }
    "#);
    let list = plane.member("viewer", Method::GET, "/v1/environments").send().await;
    assert_eq!(list.body()["items"].as_array().unwrap().len(), 3);
    let missing = plane.member("viewer", Method::GET, "/v1/environments/Nowhere").send().await;
    assert_eq!(missing.body()["type"], "/errors/environment-not-found");
}
