//! A registry under the suite, and the schemas that it is told.

use reqwest::{Client, Method, header::CONTENT_TYPE};
use runtime::{HttpSettings, http_client};
use serde_json::{Value, json};
use url::Url;

use super::Otherwise;

/// What every client of Confluent's sends.
const BODY: &str = "application/vnd.schemaregistry.v1+json";

pub(crate) const ID: &str = r#"{"name":"id","type":"string"}"#;
pub(crate) const ID_AND_NOTE: &str =
    r#"{"name":"id","type":"string"},{"name":"note","type":["null","string"],"default":null}"#;
pub(crate) const NUMBER: &str = r#"{"name":"id","type":"long"}"#;

/// A record with these fields, as the body of a registration.
pub(crate) fn order(fields: &str) -> Value {
    json!({ "schema": format!(r#"{{"type":"record","name":"Order","fields":[{fields}]}}"#) })
}

pub(crate) struct Registry {
    http: Client,
    base: Url,
    otherwise: &'static [Otherwise],
}

impl Registry {
    pub(crate) fn new(base: &Url, otherwise: &'static [Otherwise]) -> Self {
        Self { http: http_client(&HttpSettings::default()).unwrap(), base: base.clone(), otherwise }
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    pub(crate) fn is(&self, otherwise: Otherwise) -> bool {
        self.otherwise.contains(&otherwise)
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, BODY).body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let kind = answer.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
        let expected = if self.is(Otherwise::AnswersPlainJson) { "application/json" } else { BODY };
        let text = answer.text().await.unwrap();
        assert_eq!(kind, expected, "{path}: {text}");
        (status, serde_json::from_str(&text).unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask(Method::PUT, path, Some(body)).await
    }

    /// Registers a record with these fields, which must be accepted; gives its id.
    pub(crate) async fn accepts(&self, subject: &str, fields: &str) -> i64 {
        let (status, answer) = self.post(&format!("/subjects/{subject}/versions"), order(fields)).await;
        assert_eq!(status, 200, "{subject}: {answer}");
        assert_eq!(answer, json!({ "id": answer["id"] }), "an id and nothing else");
        answer["id"].as_i64().unwrap()
    }

    /// Registers a record with these fields, which must be a conflict.
    pub(crate) async fn conflicts(&self, subject: &str, fields: &str) {
        let answer = self.post(&format!("/subjects/{subject}/versions"), order(fields)).await;
        refused(&answer, 409, fields);
    }

    /// What the check endpoint at `path` says of a record with these fields.
    pub(crate) async fn check(&self, path: &str, fields: &str) -> (u16, Value) {
        self.post(&format!("/compatibility/subjects/{path}"), order(fields)).await
    }
}

/// Whether the answer is a refusal of that code, in the form that clients of Confluent's read.
pub(crate) fn refused((status, answer): &(u16, Value), code: u32, asked: &str) {
    let expected = if code > 999 { code / 100 } else { code };
    assert_eq!((u32::from(*status), &answer["error_code"]), (expected, &json!(code)), "{asked}: {answer}");
    assert_eq!(answer.as_object().unwrap().len(), 2, "a code and a message: {answer}");
    assert!(answer["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer}");
}
