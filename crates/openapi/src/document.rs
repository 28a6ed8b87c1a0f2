//! A document that was read: its dialect, what it says about itself, and its operations.

use std::fmt;

use serde_json::{Map, Value};

use crate::{
    compile,
    error::Error,
    limits::Limits,
    pointer,
    problem::{self, Problem},
    read,
    tool::{Method, Tool},
};

/// The notation of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        })
    }
}

/// The version of OpenAPI that a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// Swagger 2.0.
    V2_0,
    /// `OpenAPI` 3.0.
    V3_0,
    /// `OpenAPI` 3.1.
    V3_1,
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V2_0 => "2.0",
            Self::V3_0 => "3.0",
            Self::V3_1 => "3.1",
        })
    }
}

/// One operation, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationSummary {
    /// Its method.
    pub method: Method,
    /// Its path template.
    pub path: String,
    /// Its `operationId`.
    pub id: Option<String>,
    /// Its one-line summary.
    pub summary: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether it is marked deprecated.
    pub deprecated: bool,
}

/// An OpenAPI document.
#[derive(Clone, Debug)]
pub struct Document {
    root: Value,
    dialect: Dialect,
    format: Format,
    limits: Limits,
}

impl Document {
    /// Reads a document, JSON or YAML, of a dialect that we serve.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        let (root, format) = read::read(bytes, limits)?;
        let Value::Object(top) = &root else {
            return Err(Error::NotAnObject { found: kind(&root) });
        };
        let dialect = dialect(top)?;
        let document = Self { root, dialect, format, limits: limits.clone() };
        let count = document.walk().count();
        if count > limits.operations {
            return Err(Error::TooManyOperations { count, max: limits.operations });
        }
        Ok(document)
    }

    /// The version of OpenAPI that the document is written in.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The notation it was read from.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// `info.title`, or nothing.
    #[must_use]
    pub fn title(&self) -> &str {
        self.info("title")
    }

    /// `info.version`, or nothing.
    #[must_use]
    pub fn version(&self) -> &str {
        self.info("version")
    }

    /// `info.description`, or nothing.
    #[must_use]
    pub fn description(&self) -> &str {
        self.info("description")
    }

    /// The whole document as JSON.
    #[must_use]
    pub fn as_json(&self) -> &Value {
        &self.root
    }

    /// The addresses that the document names for itself; a deployment decides, these are hints.
    #[must_use]
    pub fn servers(&self) -> Vec<String> {
        if self.dialect == Dialect::V2_0 {
            let host = self.root["host"].as_str();
            let base = self.root["basePath"].as_str().unwrap_or_default();
            let scheme = self.root["schemes"][0].as_str().unwrap_or("https");
            return host.map(|host| format!("{scheme}://{host}{base}")).into_iter().collect();
        }
        let servers = self.root["servers"].as_array().into_iter().flatten();
        servers.filter_map(|server| server["url"].as_str().map(str::to_owned)).collect()
    }

    /// Every operation, in the order of the document.
    #[must_use]
    pub fn operations(&self) -> Vec<OperationSummary> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let summary = |at: OperationAt<'_>| OperationSummary {
            method: at.method,
            path: at.path.to_owned(),
            id: text(&at.operation["operationId"]),
            summary: text(&at.operation["summary"]),
            tags: at.operation["tags"].as_array().into_iter().flatten().filter_map(text).collect(),
            deprecated: at.operation["deprecated"] == true,
        };
        self.walk().map(summary).collect()
    }

    /// What is wrong with the document, errors and warnings, in the order of the document; at most some 200.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        problem::find(self)
    }

    /// One tool per operation, in the order of the document.
    #[must_use]
    pub fn tools(&self) -> Vec<Tool> {
        compile::tools(self)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Follows a reference at `value`, if one stands there.
    pub(crate) fn follow<'d>(&'d self, value: &'d Value) -> Option<&'d Value> {
        pointer::follow(&self.root, value)
    }

    pub(crate) fn walk(&self) -> impl Iterator<Item = OperationAt<'_>> {
        let paths = self.root["paths"].as_object().into_iter().flatten();
        paths.filter(|(path, _)| path.starts_with('/')).flat_map(|(path, item)| {
            let item = self.follow(item).and_then(Value::as_object);
            item.into_iter().flatten().filter_map(move |(key, operation)| {
                let method = Method::from_key(key)?;
                let item = item?;
                operation.is_object().then_some(OperationAt { method, path, item, operation })
            })
        })
    }

    fn info(&self, field: &str) -> &str {
        self.root["info"][field].as_str().unwrap_or_default()
    }
}

/// An operation where it stands.
#[derive(Clone, Copy)]
pub(crate) struct OperationAt<'d> {
    pub(crate) method: Method,
    pub(crate) path: &'d str,
    pub(crate) item: &'d Map<String, Value>,
    pub(crate) operation: &'d Value,
}

impl OperationAt<'_> {
    pub(crate) fn pointer(&self) -> String {
        format!("{}/{}", pointer::join("/paths", self.path), self.method.key())
    }
}

fn dialect(top: &Map<String, Value>) -> Result<Dialect, Error> {
    let version = top.get("openapi").or_else(|| top.get("swagger")).ok_or(Error::NoVersion)?;
    let version = match version {
        Value::String(text) => text.clone(),
        // `swagger: 2.0` without quotes is a number in YAML.
        other => other.to_string(),
    };
    let served = |prefix: &str| version == prefix || version.starts_with(&format!("{prefix}."));
    match () {
        () if served("2.0") || version == "2" => Ok(Dialect::V2_0),
        () if served("3.0") => Ok(Dialect::V3_0),
        () if served("3.1") => Ok(Dialect::V3_1),
        () => Err(Error::UnsupportedVersion { version: version.chars().take(20).collect() }),
    }
}

/// What kind of value this is, as a sentence says it.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Document, Error> {
        Document::parse(text.as_bytes(), &Limits::default())
    }

    #[test]
    fn the_dialect_is_read_from_the_version() {
        let dialect = |text: &str| parse(text).map(|document| document.dialect());
        assert_eq!(dialect("swagger: 2.0"), Ok(Dialect::V2_0));
        assert_eq!(dialect("openapi: 3.0.3"), Ok(Dialect::V3_0));
        assert_eq!(dialect(r#"{"openapi": "3.1.1"}"#), Ok(Dialect::V3_1));
        assert_eq!(dialect("openapi: 3.2.0"), Err(Error::UnsupportedVersion { version: "3.2.0".into() }));
        assert_eq!(dialect("openapi: 3.10.0"), Err(Error::UnsupportedVersion { version: "3.10.0".into() }));
        assert_eq!(dialect("name: x"), Err(Error::NoVersion));
        assert_eq!(dialect("- x"), Err(Error::NotAnObject { found: "an array" }));
        assert_eq!(dialect(""), Err(Error::NotAnObject { found: "null" }));
    }

    #[test]
    fn operations_are_listed_in_order_with_what_they_say_of_themselves() {
        let document = parse(
            "openapi: 3.1.0\ninfo: {title: Pets, version: '2'}\nservers: [{url: 'https://pets.example/v1'}]\npaths:\n  \
             /pets:\n    get: {operationId: list, tags: [pets], summary: Lists pets}\n    post: {deprecated: true}\n  \
             x-note: {get: {}}\n",
        )
        .unwrap();
        let listed: Vec<_> = document
            .operations()
            .into_iter()
            .map(|o| (o.method.as_str(), o.path, o.id, o.deprecated))
            .collect();
        assert_eq!(
            listed,
            [
                ("GET", "/pets".to_owned(), Some("list".to_owned()), false),
                ("POST", "/pets".to_owned(), None, true)
            ]
        );
        assert_eq!((document.title(), document.version()), ("Pets", "2"));
        assert_eq!(document.servers(), ["https://pets.example/v1"]);
    }
}
