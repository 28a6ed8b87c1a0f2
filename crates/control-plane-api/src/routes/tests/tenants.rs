use actix_web::http::Method;
use insta::assert_json_snapshot;
use serde_json::json;

use crate::testing::Plane;

#[actix_web::test]
async fn a_declared_tenant_is_a_commit_and_is_read_once_it_is_relayed() {
    let plane = Plane::new().await;
    let body = json!({ "name": "globex", "display_name": "Globex", "owner_email": "hank@globex.example" });
    let answer = plane.root(Method::POST, "/v1/tenants").json(&body).send().await;
    assert_json_snapshot!(answer.whole(), @r#"
    {
      "status": 201,
      "headers": {
        "etag": "\"8173ed21a8bd0f7457f1b4f1b43371f36029085e6da9b1a59ac0c553225c767e\"",
        "location": "/v1/tenants/globex",
        "stoa-changed": "true",
        "stoa-commit": "f4d48e78ceb7000ad792f3a251aeea8c3f548109"
      },
      "body": {
        "id": "globex",
        "uid": "019ca945-0a00-7000-8000-000000030000",
        "display_name": "Globex",
        "description": "",
        "owner_email": "hank@globex.example",
        "status": "active",
        "environments": [
          "dev",
          "prod",
          "staging"
        ],
        "tags": [],
        "api_count": 0,
        "application_count": 0,
        "problems": []
      }
    }
    "#);
    assert_eq!(plane.messages()[0], "Declare tenant globex");
    let nudge = plane.announced.once(|said| !said.nudges.is_empty()).await.nudges.remove(0);
    assert_eq!(nudge.commit.unwrap().as_str(), answer.header("stoa-commit").unwrap());

    let path = "/v1/tenants/globex";
    assert_eq!(plane.root(Method::GET, path).send().await.status, 404);
    plane.relay();
    let read = plane.root(Method::GET, path).send().await;
    assert_eq!(read.body(), answer.body());
    assert_eq!(read.header("etag"), answer.header("etag"));
    let again = plane.root(Method::GET, path).header("if-none-match", read.header("etag").unwrap());
    assert_eq!(again.send().await.status, 304);
}

#[actix_web::test]
async fn a_taken_name_and_a_wrong_one_are_refused() {
    let plane = Plane::with_acme(None).await;
    let declare = async |name: &str| {
        plane.root(Method::POST, "/v1/tenants").json(&json!({ "name": name })).send().await.body()
    };
    assert_json_snapshot!([declare("acme").await, declare("Acme").await, declare("stoa").await], @r#"
    [
      {
        "reason": "name-taken",
        "type": "/errors/name-taken",
        "title": "Name is taken",
        "status": 409,
        "detail": "tenant `acme` already exists"
      },
      {
        "field": "name",
        "type": "/errors/invalid-name",
        "title": "Name is not valid",
        "status": 422,
        "detail": "`Acme` is not a tenant name: use lower-case letters, digits and single hyphens, starting and ending with a letter or digit"
      },
      {
        "reason": "invalid-name",
        "type": "/errors/invalid-name",
        "title": "Name is not valid",
        "status": 422,
        "detail": "`stoa` is reserved; choose another name"
      }
    ]
    "#);
    assert_eq!(plane.messages().len(), 2);
}

#[actix_web::test]
async fn a_tenant_is_changed_only_as_the_caller_knows_it() {
    let plane = Plane::with_acme(None).await;
    let path = "/v1/tenants/acme";
    let change = json!({ "description": "Makes everything" });
    let put = |condition: Option<&str>| {
        let call = plane.root(Method::PUT, path).json(&change);
        match condition {
            Some(tag) => call.header("if-match", tag),
            None => call,
        }
    };
    assert_json_snapshot!(put(None).send().await.body(), @r#"
    {
      "type": "/errors/precondition-required",
      "title": "`If-Match` is needed",
      "status": 428,
      "detail": "send the `ETag` that you read as `If-Match`"
    }
    "#);
    let tag = plane.root(Method::GET, path).send().await.header("etag").unwrap().to_owned();
    let changed = put(Some(&tag)).send().await;
    assert_eq!(
        (changed.status.as_u16(), changed.body()["description"].clone()),
        (200, json!("Makes everything"))
    );
    // The snapshot still shows the version that the tag names; the head of the branch counts.
    assert_json_snapshot!(put(Some(&tag)).send().await.body(), @r#"
    {
      "reason": "precondition-failed",
      "type": "/errors/precondition-failed",
      "title": "Changed in the meantime",
      "status": 412,
      "detail": "it is no longer the version that the condition names"
    }
    "#);
    let same = put(changed.header("etag")).send().await;
    assert_eq!((same.status.as_u16(), same.header("stoa-changed")), (200, Some("false")));
    assert_eq!(same.header("stoa-commit"), changed.header("stoa-commit"));
}

#[actix_web::test]
async fn a_tenant_with_apis_stays_and_an_empty_one_goes() {
    let plane = Plane::with_acme(None).await;
    plane.declare("pets").await;
    let refused = plane.root(Method::DELETE, "/v1/tenants/acme").send().await;
    assert_json_snapshot!(refused.body(), @r#"
    {
      "reason": "tenant-not-empty",
      "apis": 1,
      "applications": 0,
      "type": "/errors/tenant-not-empty",
      "title": "Tenant is not empty",
      "status": 409,
      "detail": "tenant `acme` still has 1 APIs and 0 applications"
    }
    "#);
    let gone = plane.member("tenant-admin", Method::DELETE, "/v1/tenants/acme/apis/pets").send().await;
    assert_eq!(gone.status, 204);
    assert_eq!(plane.root(Method::DELETE, "/v1/tenants/acme").send().await.status, 204);
    assert_eq!(plane.file("tenants/acme/tenant.yaml"), None);
}

#[actix_web::test]
async fn everybody_sees_the_own_tenant_and_the_platform_sees_all_in_pages() {
    let plane = Plane::with_acme(None).await;
    let ids = |answer: crate::testing::Answer| {
        let items = answer.body()["items"].clone();
        items
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(plane.member("viewer", Method::GET, "/v1/tenants").send().await), ["acme"]);
    let first = plane.root(Method::GET, "/v1/tenants?limit=1").send().await;
    let cursor = first.body()["next_cursor"].as_str().unwrap().to_owned();
    let second = plane.root(Method::GET, &format!("/v1/tenants?limit=1&cursor={cursor}")).send().await;
    assert_eq!(second.body()["next_cursor"], json!(null));
    assert_eq!((ids(first), ids(second)), (vec!["acme".to_owned()], vec!["stoa".to_owned()]));
    // A cursor is of one caller's list.
    let stolen = plane.member("viewer", Method::GET, &format!("/v1/tenants?cursor={cursor}")).send().await;
    assert_eq!(stolen.body()["type"], "/errors/invalid-cursor");
}

#[actix_web::test]
async fn a_denied_write_is_audited_and_changes_nothing() {
    let plane = Plane::with_acme(None).await;
    let answer = plane.member("viewer", Method::POST, "/v1/tenants/acme/apis").json(&json!({})).send().await;
    assert_eq!(answer.status, 403);
    let said = plane.announced.once(|said| !said.audits.is_empty()).await;
    assert_json_snapshot!(said.audits[0].1, @r#"
    {
      "tenant": "acme",
      "actor": "ada",
      "action": "api.create",
      "entity": "tenants/acme/apis",
      "outcome": "denied",
      "reason": "forbidden",
      "message": null,
      "commit": null,
      "source": null,
      "trace": null,
      "at": 1772366400000
    }
    "#);
    assert_eq!(plane.messages().len(), 2);
}

#[actix_web::test]
async fn a_caller_is_told_who_he_is() {
    let plane = Plane::new().await;
    let answer = plane.member("devops", Method::GET, "/v1/me").send().await;
    assert_json_snapshot!(answer.body(), @r#"
    {
      "subject": "ada-id",
      "username": "ada",
      "email": null,
      "tenant_id": "acme",
      "platform_admin": false,
      "roles": [
        "devops"
      ],
      "permissions": [
        "tenants:read",
        "apis:create",
        "apis:update",
        "apis:read",
        "apis:deploy",
        "apis:promote",
        "apps:create",
        "apps:update",
        "apps:read",
        "audit:read"
      ],
      "scopes": []
    }
    "#);
}
