use std::sync::Arc;

use actix_web::{App, http::Method, test};
use serde_json::{Value as Json_, json};

use super::*;
use crate::registry::InFile;

struct Asked {
    registry: Data<Registry>,
    home: tempfile::TempDir,
}

impl Asked {
    async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { registry: Self::open(&home).await, home }
    }

    async fn open(home: &tempfile::TempDir) -> Data<Registry> {
        let journal = Arc::new(InFile::at(&home.path().join("journal")));
        Data::new(Registry::open(journal).await.unwrap())
    }

    async fn restart(&mut self) {
        self.registry = Self::open(&self.home).await;
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Json_>) -> (u16, Json_) {
        let app = test::init_service(App::new().app_data(self.registry.clone()).configure(routes)).await;
        let mut request = test::TestRequest::with_uri(path).method(method);
        if let Some(body) = body {
            request = request.insert_header(("content-type", CONTENT_TYPE)).set_payload(body.to_string());
        }
        let answer = test::call_service(&app, request.to_request()).await;
        let status = answer.status().as_u16();
        let body = test::read_body(answer).await;
        (status, serde_json::from_slice(&body).unwrap_or(Json_::Null))
    }

    async fn get(&self, path: &str) -> (u16, Json_) {
        self.ask(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Json_) -> (u16, Json_) {
        self.ask(Method::POST, path, Some(body)).await
    }

    async fn put(&self, path: &str, body: Json_) -> (u16, Json_) {
        self.ask(Method::PUT, path, Some(body)).await
    }
}

fn order(fields: &str) -> Json_ {
    json!({ "schema": format!(r#"{{"type":"record","name":"Order","fields":[{fields}]}}"#) })
}

const ID: &str = r#"{"name":"id","type":"string"}"#;
const ID_AND_NOTE: &str =
    r#"{"name":"id","type":"string"},{"name":"note","type":["null","string"],"default":null}"#;

#[actix_web::test]
async fn a_schema_is_registered_once_and_found_by_id_version_and_text() {
    let mut asked = Asked::new().await;
    assert_eq!(asked.post("/subjects/orders-value/versions", order(ID)).await, (200, json!({"id": 1})));
    assert_eq!(asked.post("/subjects/orders-value/versions", order(ID)).await, (200, json!({"id": 1})));
    assert_eq!(
        asked.post("/subjects/orders-value/versions", order(ID_AND_NOTE)).await,
        (200, json!({"id": 2}))
    );
    // The same schema under another subject keeps its id.
    assert_eq!(asked.post("/subjects/returns-value/versions", order(ID)).await, (200, json!({"id": 1})));

    asked.restart().await;
    assert_eq!(asked.get("/subjects").await, (200, json!(["orders-value", "returns-value"])));
    assert_eq!(asked.get("/subjects/orders-value/versions").await, (200, json!([1, 2])));
    let second = json!({
        "subject": "orders-value", "version": 2, "id": 2, "schema": order(ID_AND_NOTE)["schema"]
    });
    assert_eq!(asked.get("/subjects/orders-value/versions/latest").await, (200, second.clone()));
    assert_eq!(asked.post("/subjects/orders-value", order(ID_AND_NOTE)).await, (200, second));
    assert_eq!(asked.get("/schemas/ids/1").await, (200, json!({"schema": order(ID)["schema"]})));
    assert_eq!(
        asked.get("/schemas/ids/1/versions").await,
        (200, json!([{"subject": "orders-value", "version": 1}, {"subject": "returns-value", "version": 1}]))
    );
}

#[actix_web::test]
async fn what_is_not_there_has_its_code() {
    let asked = Asked::new().await;
    asked.post("/subjects/orders-value/versions", order(ID)).await;
    for (path, code) in [
        ("/subjects/nothing/versions", 40401),
        ("/subjects/nothing/versions/latest", 40401),
        ("/subjects/orders-value/versions/7", 40402),
        ("/subjects/orders-value/versions/0", 42202),
        ("/schemas/ids/99", 40403),
        ("/config/orders-value", 40408),
        ("/mode/orders-value", 40409),
    ] {
        let (status, body) = asked.get(path).await;
        assert_eq!((u32::from(status), &body["error_code"]), (code / 100, &json!(code)), "{path}");
    }
    assert_eq!(
        asked.post("/subjects/orders-value", order(ID_AND_NOTE)).await,
        (404, json!({"error_code": 40403, "message": "Schema not found"}))
    );
    assert_eq!(asked.post("/subjects/nothing", order(ID)).await.1["error_code"], 40401);
}

#[actix_web::test]
async fn a_version_that_another_cannot_read_is_a_conflict() {
    let asked = Asked::new().await;
    asked.post("/subjects/orders-value/versions", order(ID)).await;
    let breaking = order(r#"{"name":"id","type":"long"}"#);
    let (status, body) = asked.post("/subjects/orders-value/versions", breaking.clone()).await;
    assert_eq!((status, &body["error_code"]), (409, &json!(409)));
    let check = "/compatibility/subjects/orders-value/versions/latest";
    assert_eq!(asked.post(check, breaking.clone()).await, (200, json!({"is_compatible": false})));
    assert_eq!(asked.post(check, order(ID_AND_NOTE)).await, (200, json!({"is_compatible": true})));
    let (_, verbose) = asked.post(&format!("{check}?verbose=true"), breaking.clone()).await;
    assert!(verbose["messages"][0].as_str().unwrap().contains("version 1"), "{verbose}");

    assert_eq!(
        asked.put("/config/orders-value", json!({"compatibility": "NONE"})).await,
        (200, json!({"compatibility": "NONE"}))
    );
    assert_eq!(asked.post("/subjects/orders-value/versions", breaking).await, (200, json!({"id": 2})));
}

#[actix_web::test]
async fn what_is_no_avro_schema_is_refused() {
    let asked = Asked::new().await;
    for body in [
        json!({"schema": "{"}),
        json!({"schema": "{}", "schemaType": "JSON"}),
        json!({"schema": "\"string\"", "references": [{"name": "a", "subject": "b", "version": 1}]}),
        json!({"other": 1}),
    ] {
        let (status, answer) = asked.post("/subjects/orders-value/versions", body.clone()).await;
        assert_eq!((status, &answer["error_code"]), (422, &json!(42201)), "{body}");
    }
}

#[actix_web::test]
async fn ids_are_given_by_the_caller_in_import_mode_only() {
    let mut asked = Asked::new().await;
    let with_id = |id: i32, fields: &str| {
        let mut body = order(fields);
        body["id"] = json!(id);
        body
    };
    let path = "/subjects/orders-value/versions";
    assert_eq!(asked.post(path, with_id(700, ID)).await.1["error_code"], 42205);
    assert_eq!(
        asked.put("/mode/orders-value", json!({"mode": "IMPORT"})).await,
        (200, json!({"mode": "IMPORT"}))
    );
    assert_eq!(asked.post(path, with_id(700, ID)).await, (200, json!({"id": 700})));
    assert_eq!(asked.post(path, with_id(700, ID_AND_NOTE)).await.1["error_code"], 42207);
    assert_eq!(asked.post(path, with_id(650, ID_AND_NOTE)).await, (200, json!({"id": 650})));
    asked.restart().await;
    assert_eq!(asked.get("/mode/orders-value").await, (200, json!({"mode": "IMPORT"})));
    asked.put("/mode/orders-value", json!({"mode": "READWRITE"})).await;
    // What the registry numbers itself comes after everything that was imported.
    assert_eq!(
        asked.post("/subjects/returns-value/versions", order(r#"{"name":"n","type":"int"}"#)).await,
        (200, json!({"id": 701}))
    );
    assert_eq!(asked.put("/mode/orders-value", json!({"mode": "IMPORT"})).await.1["error_code"], 42205);
    assert_eq!(asked.put("/mode/orders-value?force=true", json!({"mode": "IMPORT"})).await.0, 200);
}

#[actix_web::test]
async fn the_level_of_all_subjects_is_full_transitive() {
    let asked = Asked::new().await;
    assert_eq!(asked.get("/config").await, (200, json!({"compatibilityLevel": "FULL_TRANSITIVE"})));
    assert_eq!(
        asked.get("/config/any?defaultToGlobal=true").await,
        (200, json!({"compatibilityLevel": "FULL_TRANSITIVE"}))
    );
    assert_eq!(asked.put("/config", json!({"compatibility": "SOMETIMES"})).await.1["error_code"], 42203);
    assert_eq!(asked.get("/mode").await, (200, json!({"mode": "READWRITE"})));
}

#[actix_web::test]
async fn a_record_that_cannot_be_read_takes_no_schema_away() {
    let mut asked = Asked::new().await;
    asked.post("/subjects/orders-value/versions", order(ID)).await;
    let journal = asked.home.path().join("journal");
    let kept = std::fs::read_to_string(&journal).unwrap();
    let key = kept.trim().split_once("},{").unwrap().0;
    // The same key with a value of no kind, and a key of no kind.
    std::fs::write(&journal, format!("{kept}{key}}},{{\"other\":1}}]\n[{{\"keytype\":\"NOOP\"}},{{}}]\n"))
        .unwrap();
    asked.restart().await;
    assert_eq!(asked.get("/subjects/orders-value/versions").await, (200, json!([1])));
    let next = asked.post("/subjects/orders-value/versions", order(ID_AND_NOTE)).await;
    assert_eq!(next, (200, json!({"id": 2})));
}
