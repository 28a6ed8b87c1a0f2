//! Bodies of requests and answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{record::Level, subjects::Version};

/// What Confluent's registry answers with.
pub(super) const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// A schema to register, look up or check.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Proposal {
    pub schema: String,
    #[serde(default)]
    pub schema_type: Option<String>,
    #[serde(default)]
    pub references: Option<Vec<serde_json::Value>>,
    /// Only in mode `IMPORT`.
    #[serde(default)]
    pub id: Option<i32>,
    /// Only in mode `IMPORT`.
    #[serde(default)]
    pub version: Option<i32>,
}

#[derive(Debug, Serialize)]
pub(super) struct Registered {
    pub id: i32,
}

#[derive(Debug, Serialize)]
pub(super) struct SubjectVersion {
    pub subject: String,
    pub version: i32,
    pub id: i32,
    pub schema: Arc<str>,
}

impl SubjectVersion {
    pub(super) fn new(subject: &str, version: &Version) -> Self {
        Self {
            subject: subject.to_owned(),
            version: version.number,
            id: version.id,
            schema: Arc::clone(&version.schema),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct SchemaText {
    pub schema: Arc<str>,
}

#[derive(Debug, Serialize)]
pub(super) struct Compatible {
    pub is_compatible: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct CompatibilityChange {
    pub compatibility: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CompatibilityNow {
    pub compatibility_level: Level,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ModeBody {
    pub mode: String,
}

/// `?defaultToGlobal=true`, `?force=true`, `?verbose=true`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Flags {
    pub default_to_global: bool,
    pub force: bool,
    pub verbose: bool,
}
