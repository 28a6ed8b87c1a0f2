use actix_web::http::Method;
use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::{Value, json};

use crate::testing::{OPENAPI, Plane};

const APIS: &str = "/v1/tenants/acme/apis";

fn pets(name: &str) -> Value {
    json!({ "name": name, "backend_url": "http://127.0.0.1:8090", "openapi": OPENAPI })
}

#[actix_web::test]
async fn a_declared_api_is_deployed_where_new_apis_are_in_the_same_commit() {
    let plane = Plane::with_acme(None).await;
    let answer = plane.declare("pets").await;
    assert_json_snapshot!(answer.whole(), @r#"
    {
      "status": 201,
      "headers": {
        "etag": "\"61907b5f197d10566b546bd4d653afa53a8163b41b827672a994df20e7e22752\"",
        "location": "/v1/tenants/acme/apis/pets",
        "stoa-changed": "true",
        "stoa-commit": "c32047f429d5c8fc5917f5e8a2f04b602fa07a12"
      },
      "body": {
        "id": "pets",
        "uid": "019ca945-0a00-7000-8000-000000030000",
        "tenant_id": "acme",
        "name": "pets",
        "display_name": "pets",
        "version": "1.0.0",
        "description": "",
        "category": "",
        "tags": [],
        "backend_url": "http://127.0.0.1:8090",
        "authentication": {
          "type": "oauth2",
          "scopes": []
        },
        "rate_limit": null,
        "tools": true,
        "deployments": [
          {
            "environment": "dev",
            "state": "deployed",
            "content": "head",
            "gateways": [
              "builtin"
            ]
          }
        ],
        "problems": [],
        "orphaned_by": []
      }
    }
    "#);
    assert_eq!(plane.messages()[0], "Declare API acme/pets 1.0.0");
    assert_snapshot!(plane.file("tenants/acme/apis/pets/deployments/dev.yaml").unwrap(), @r"
    apiVersion: stoa.io/v1
    kind: Deployment
    metadata:
      tenant: acme
      api: pets
      environment: dev
    spec:
      follow: head
      gateways:
      - builtin
      state: deployed
    ");
    let read = plane.member("viewer", Method::GET, &format!("{APIS}/pets")).send().await;
    assert_eq!((read.body(), read.header("etag")), (answer.body(), answer.header("etag")));
    let uid = answer.body()["uid"].as_str().unwrap().to_owned();
    assert_eq!(
        plane.member("viewer", Method::GET, &format!("{APIS}/{uid}")).send().await.body(),
        answer.body()
    );
}

#[actix_web::test]
async fn a_document_is_given_back_as_it_was_written() {
    let plane = Plane::with_acme(None).await;
    plane.declare("pets").await;
    let path = format!("{APIS}/pets/openapi");
    let read = plane.member("viewer", Method::GET, &path).send().await;
    assert_eq!((read.text.as_str(), read.header("content-type")), (OPENAPI, Some("application/yaml")));

    let json = r#"{"openapi": "3.0.3", "info": {"title": "Pets", "version": "2"}, "paths": {}}"#;
    let put = |tag: &str| plane.member("devops", Method::PUT, &path).header("if-match", tag).text(json);
    let put = put(read.header("etag").unwrap()).send().await;
    assert_eq!(put.status, 200, "{}", put.text);
    plane.relay();
    let read = plane.member("viewer", Method::GET, &path).send().await;
    assert_eq!((read.text.as_str(), read.header("content-type")), (json, Some("application/json")));
    assert_eq!(plane.file("tenants/acme/apis/pets/openapi.yaml"), None);
}

#[actix_web::test]
async fn what_is_wrong_with_a_body_is_said_with_its_place() {
    let plane = Plane::with_acme(None).await;
    let refused = async |change: Value| {
        let mut body = pets("pets");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = plane.member("devops", Method::POST, APIS).json(&body).send().await;
        assert!(answer.status.is_client_error(), "{}", answer.text);
        answer.body()
    };
    let answers = [
        refused(json!({ "name": "staging" })).await,
        refused(json!({ "backend_url": "ftp://x" })).await,
        refused(json!({ "openapi": "openapi: 3.2.0\npaths: {}\n" })).await,
        refused(json!({ "openapi": "openapi: 3.1.0\ninfo:\n  - [\n" })).await,
        refused(json!({ "openapi": { "openapi": "3.1.0" } })).await,
        refused(json!({ "colour": "red" })).await,
    ];
    assert_json_snapshot!(answers, @r#"
    [
      {
        "field": "name",
        "type": "/errors/invalid-name",
        "title": "Name is not valid",
        "status": 422,
        "detail": "`staging` is reserved; choose another name"
      },
      {
        "reason": "invalid-field",
        "field": "spec.backend.url",
        "type": "/errors/invalid-body",
        "title": "Body is not valid",
        "status": 422,
        "detail": "`ftp://x` is not an http or https address"
      },
      {
        "reason": "invalid-document",
        "type": "/errors/invalid-document",
        "title": "Document is not valid",
        "status": 422,
        "detail": "the OpenAPI document is not valid: OpenAPI 3.2.0 is not supported; 2.0, 3.0 and 3.1 are"
      },
      {
        "reason": "invalid-document",
        "line": 4,
        "column": 1,
        "type": "/errors/invalid-document",
        "title": "Document is not valid",
        "status": 422,
        "detail": "the OpenAPI document is not valid: YAML, line 4, column 1: did not find expected node content"
      },
      {
        "reason": "invalid-document",
        "problems": [
          "/info: is missing or not an object",
          "/paths: is missing"
        ],
        "type": "/errors/invalid-document",
        "title": "Document is not valid",
        "status": 422,
        "detail": "the OpenAPI document is not valid: /info: is missing or not an object"
      },
      {
        "field": "colour",
        "type": "/errors/invalid-body",
        "title": "Body is not valid",
        "status": 422,
        "detail": "unknown field `colour`, expected one of `name`, `display_name`, `version`, `description`, `category`, `tags`, `backend_url`, `authentication`, `rate_limit`, `tools`, `openapi`, `openapi_spec` at line 1 column 227"
      }
    ]
    "#);
    assert_eq!(plane.messages().len(), 2);
}

#[actix_web::test]
async fn a_document_of_17_mib_is_refused_by_its_size() {
    let plane = Plane::with_acme(None).await;
    let mut body = pets("pets");
    body["openapi"] = json!(format!("{OPENAPI}#{}", "x".repeat(17 << 20)));
    let answer = plane.member("devops", Method::POST, APIS).json(&body).send().await;
    assert_json_snapshot!(answer.body(), @r#"
    {
      "reason": "invalid-document",
      "type": "/errors/invalid-document",
      "title": "Document is not valid",
      "status": 422,
      "detail": "the OpenAPI document is not valid: the document has 17825939 bytes; at most 16777216 are accepted"
    }
    "#);
}

#[actix_web::test]
async fn a_tenant_has_no_more_apis_than_its_quota() {
    let plane = Plane::with_acme(None).await;
    let tenant = plane.file("tenants/acme/tenant.yaml").unwrap();
    plane.push_text("tenants/acme/tenant.yaml", &format!("{tenant}  quotas: {{maxApis: 1}}\n"));
    plane.relay();
    plane.declare("pets").await;
    let answer = plane.member("devops", Method::POST, APIS).json(&pets("more")).send().await;
    assert_json_snapshot!(answer.body(), @r#"
    {
      "reason": "quota-exceeded",
      "limit": 1,
      "type": "/errors/conflict",
      "title": "Conflicts with the present state",
      "status": 409,
      "detail": "tenant `acme` may have 1 APIs, and has them"
    }
    "#);
}

#[actix_web::test]
async fn a_pushed_change_that_is_not_relayed_yet_is_seen_by_a_write() {
    let plane = Plane::with_acme(None).await;
    let declared = plane.declare("pets").await;
    let text = plane.file("tenants/acme/apis/pets/api.yaml").unwrap();
    plane.push_text("tenants/acme/apis/pets/api.yaml", &text.replace("1.0.0", "1.1.0"));
    let put = plane.member("devops", Method::PUT, &format!("{APIS}/pets"));
    let put = put.header("if-match", declared.header("etag").unwrap()).json(&json!({ "description": "x" }));
    assert_eq!(put.send().await.body()["type"], "/errors/precondition-failed");
}

#[actix_web::test]
async fn an_invalid_push_is_shown_and_the_valid_content_stays() {
    let plane = Plane::with_acme(None).await;
    plane.declare("pets").await;
    plane.push_text(
        "tenants/acme/apis/pets/api.yaml",
        "apiVersion: stoa.io/v1\nkind: API\nspec: {backnd: {}}\n",
    );
    plane.relay();
    let read = plane.member("viewer", Method::GET, &format!("{APIS}/pets")).send().await;
    assert_json_snapshot!(json!([read.body()["version"], read.body()["problems"]]), @r#"
    [
      "1.0.0",
      [
        {
          "path": "tenants/acme/apis/pets/api.yaml",
          "line": 3,
          "column": 8,
          "field": "spec.backnd",
          "message": "unknown field `backnd`",
          "suggestion": "backend",
          "severity": "error"
        }
      ]
    ]
    "#);
    // A write on top of it makes it whole again.
    let put = plane.member("devops", Method::PUT, &format!("{APIS}/pets"));
    let put = put.header("if-match", read.header("etag").unwrap()).json(&json!({}));
    let put = put.send().await;
    assert_eq!((put.header("stoa-changed"), put.body()["problems"].clone()), (Some("true"), json!([])));
}

#[actix_web::test]
async fn a_removed_api_takes_its_deployments_along() {
    let plane = Plane::with_acme(None).await;
    plane.declare("pets").await;
    let answer = plane.member("devops", Method::DELETE, &format!("{APIS}/pets")).send().await;
    assert_eq!(answer.status, 403);
    let answer = plane.member("tenant-admin", Method::DELETE, &format!("{APIS}/pets")).send().await;
    assert_eq!(answer.status, 204);
    for file in ["api.yaml", "openapi.yaml", "deployments/dev.yaml"] {
        assert_eq!(plane.file(&format!("tenants/acme/apis/pets/{file}")), None, "{file}");
    }
    assert_eq!(plane.messages()[0], "Remove API acme/pets");
}
