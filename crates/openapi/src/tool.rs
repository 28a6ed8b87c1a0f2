//! A tool: what a model sees of an operation, and how a call of it becomes a request.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::{
    answer::Answer,
    request::{ArgumentError, Plan, Request},
    schema::{self, Patterns, Violation},
};

/// The method of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    Get,
    /// PUT
    Put,
    /// POST
    Post,
    /// DELETE
    Delete,
    /// OPTIONS
    Options,
    /// HEAD
    Head,
    /// PATCH
    Patch,
    /// TRACE
    Trace,
}

impl Method {
    /// The method as a request line has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Head => "HEAD",
            Self::Patch => "PATCH",
            Self::Trace => "TRACE",
        }
    }

    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put => "put",
            Self::Post => "post",
            Self::Delete => "delete",
            Self::Options => "options",
            Self::Head => "head",
            Self::Patch => "patch",
            Self::Trace => "trace",
        }
    }

    pub(crate) fn from_key(key: &str) -> Option<Self> {
        use Method::{Delete, Get, Head, Options, Patch, Post, Put, Trace};
        [Get, Put, Post, Delete, Options, Head, Patch, Trace].into_iter().find(|method| method.key() == key)
    }

    /// Whether a call changes nothing.
    #[must_use]
    pub fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options | Self::Trace)
    }

    /// Whether a second call like the first changes nothing more.
    #[must_use]
    pub fn is_idempotent(self) -> bool {
        self.is_safe() || matches!(self, Self::Put | Self::Delete)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a client may assume of a tool, as MCP names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Annotations {
    /// It changes nothing.
    pub read_only: bool,
    /// It may take something away.
    pub destructive: bool,
    /// A repetition changes nothing more.
    pub idempotent: bool,
}

/// An operation as a tool.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Unique in its document: `[a-zA-Z0-9_-]{1,60}`.
    pub name: String,
    /// What a person reads.
    pub title: String,
    /// What a model reads.
    pub description: String,
    /// JSON Schema 2020-12 of the arguments, an object at the top.
    pub input_schema: Value,
    /// JSON Schema 2020-12 of a successful answer's JSON, relaxed.
    pub output_schema: Option<Value>,
    /// What a client may assume.
    pub annotations: Annotations,
    /// OAuth scopes that the operation asks for.
    pub scopes: Vec<String>,
    /// The operation's method.
    pub method: Method,
    /// The operation's path template.
    pub path: String,
    /// The operation's own id.
    pub operation_id: Option<String>,
    /// Whether the operation is marked deprecated.
    pub deprecated: bool,
    pub(crate) plan: Plan,
    pub(crate) patterns: Patterns,
}

impl Tool {
    /// What is wrong with `arguments`, at most a handful; nothing if they fit the input schema.
    ///
    /// A null for an optional parameter counts as left out, because models like to fill in every property.
    #[must_use]
    pub fn violations(&self, arguments: &Map<String, Value>) -> Vec<Violation> {
        let nulls =
            |(name, value): &(&String, &Value)| value.is_null() && self.plan.is_optional_parameter(name);
        if arguments.iter().any(|entry| nulls(&entry)) {
            let given = arguments.iter().filter(|entry| !nulls(entry));
            let given: Map<_, _> = given.map(|(name, value)| (name.clone(), value.clone())).collect();
            return schema::validate(&self.input_schema, &given, &self.patterns);
        }
        schema::validate(&self.input_schema, arguments, &self.patterns)
    }

    /// The request that a call with `arguments` stands for.
    pub fn request(&self, arguments: &Map<String, Value>) -> Result<Request, ArgumentError> {
        self.plan.request(self.method, arguments)
    }

    /// What an answer of the operation means to the caller of the tool.
    #[must_use]
    pub fn answer(&self, status: u16, content_type: Option<&str>, body: &[u8]) -> Answer {
        let mut answer = Answer::of(status, content_type, body);
        if answer.is_error {
            return answer;
        }
        if let Some(schema) = &self.output_schema {
            // A declared output schema is a promise, also where the backend breaks it; the text says it all anyway.
            let kept = answer.structured.filter(|value| schema::fits(schema, value, &self.patterns));
            answer.structured = Some(kept.unwrap_or_else(|| schema::blank(schema)));
        }
        answer
    }

    /// Whether structured answers of this tool are objects, as revisions before 2026-07-28 demand.
    #[must_use]
    pub fn answers_objects(&self) -> bool {
        self.output_schema.as_ref().is_none_or(|schema| schema["type"] == "object")
    }

    /// The output schema for clients that accept objects only: other values stand under `result`.
    #[must_use]
    pub fn wrapped_output_schema(&self) -> Option<Value> {
        let schema = self.output_schema.as_ref()?;
        if self.answers_objects() {
            return Some(schema.clone());
        }
        let mut inner = schema.clone();
        let definitions = inner.as_object_mut().and_then(|inner| inner.shift_remove("$defs"));
        let mut wrapped = json!({"type": "object", "properties": {"result": inner}, "required": ["result"]});
        if let Some(definitions) = definitions {
            wrapped["$defs"] = definitions;
        }
        Some(wrapped)
    }
}
