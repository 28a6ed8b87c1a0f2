//! Error answers as RFC 9457 describes them.

mod kind;

use std::{error::Error, fmt};

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue, RETRY_AFTER},
    },
};
use runtime::{chain, trace_context};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tracing::error;

pub use self::kind::Kind;

/// What the caller learns of an error of ours; the cause stands in the log.
const INTERNAL: &str = "the request could not be answered because of an error on our side";

/// An error answer, `application/problem+json`.
///
/// Public text only: a `detail` names what the caller can act on, never a cause inside.
#[derive(Debug)]
pub struct Problem(Box<Parts>);

/// Boxed, so that a `Result` stays small.
#[derive(Debug)]
struct Parts {
    kind: Kind,
    detail: String,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of `kind` with a sentence about this occurrence.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts { kind, detail: detail.into(), members: Map::new(), headers: Vec::new() }))
    }

    /// An error of ours: logs it with its causes, and answers a fixed sentence.
    #[must_use]
    pub fn internal(cause: &(dyn Error + 'static)) -> Self {
        let cause = chain(cause);
        error!(error = cause, "Answering 500: {cause}");
        Self::new(Kind::Internal, INTERNAL)
    }

    /// Something that is needed is not there at present: logs why, and asks to come back after `seconds`.
    #[must_use]
    pub fn unavailable(what: &str, cause: &(dyn Error + 'static), seconds: u32) -> Self {
        let cause = chain(cause);
        error!(error = cause, "Answering 503: {cause}");
        Self::new(Kind::Unavailable, format!("{what} is not available at present")).retry_after(seconds)
    }

    /// Adds a member; one of the standard names is left as it is.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        self.0.members.insert(name.to_owned(), value);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Asks to come back after `seconds`.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What is said of this occurrence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut body = self.0.members.clone();
        body.insert("type".to_owned(), json!(format!("/errors/{}", self.0.kind.slug())));
        body.insert("title".to_owned(), json!(self.0.kind.title()));
        body.insert("status".to_owned(), json!(self.0.kind.status().as_u16()));
        body.insert("detail".to_owned(), json!(self.0.detail));
        if let Some(trace) = trace_context::trace_id() {
            body.insert("trace_id".to_owned(), json!(trace));
        }
        Value::Object(body)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind.slug(), self.0.detail)
    }
}

impl Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.kind.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        for header in &self.0.headers {
            response.append_header(header.clone());
        }
        response.content_type("application/problem+json").body(self.body().to_string())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    #[actix_web::test]
    async fn a_problem_is_answered_whole() {
        let problem = Problem::new(Kind::NameTaken, "tenant `acme` already exists").member("name", "acme");
        let response = problem.error_response();
        assert_eq!(response.status(), 409);
        assert_eq!(response.headers().get("content-type").unwrap(), "application/problem+json");
        let body = to_bytes(response.into_body()).await.unwrap();
        insta::assert_snapshot!(String::from_utf8_lossy(&body), @r#"{"name":"acme","type":"/errors/name-taken","title":"Name is taken","status":409,"detail":"tenant `acme` already exists"}"#);
    }

    #[test]
    fn an_error_of_ours_says_nothing_of_its_cause() {
        let problem = Problem::internal(&std::io::Error::other("password is hunter2"));
        assert!(!problem.body().to_string().contains("hunter2"));
        assert_eq!(problem.status_code(), 500);
    }

    #[test]
    fn an_unavailable_part_asks_to_come_back() {
        let problem = Problem::unavailable("the repository", &std::io::Error::other("refused"), 5);
        let response = problem.error_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers().get("retry-after").unwrap(), "5");
    }
}
