//! A promotion request: somebody asks to bring an API to the next environment.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::{ApiName, EnvironmentName, TenantName};

/// The id of a promotion request: a label of lower-case letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestId(String);

impl RequestId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no id of a promotion request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request's id has 2 to 60 lower-case letters, digits and hyphens")]
pub struct RequestIdError;

impl FromStr for RequestId {
    type Err = RequestIdError;

    /// Reads `PR-2026-0001` too, as the original writes it.
    fn from_str(text: &str) -> Result<Self, RequestIdError> {
        let text = text.to_ascii_lowercase();
        let legal = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if legal && (2..=60).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-') {
            Ok(Self(text))
        } else {
            Err(RequestIdError)
        }
    }
}

impl TryFrom<String> for RequestId {
    type Error = RequestIdError;

    fn try_from(text: String) -> Result<Self, RequestIdError> {
        text.parse()
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> Self {
        id.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Somebody asks to bring an API to the next environment.
#[derive(Clone, Debug, PartialEq)]
pub struct PromotionRequest {
    /// The id.
    pub id: RequestId,
    /// The year of its folder.
    pub year: i16,
    /// The month of its folder.
    pub month: i8,
    /// The tenant that owns the API.
    pub tenant: TenantName,
    /// The API.
    pub api: ApiName,
    /// The version to promote.
    pub version: String,
    /// Where it runs.
    pub source: EnvironmentName,
    /// Where it should run.
    pub target: EnvironmentName,
    /// Why.
    pub justification: String,
    /// What is new.
    pub release_notes: String,
    /// How bad a failure would be.
    pub impact: Impact,
    /// How to go back.
    pub rollback_plan: String,
    /// Not before.
    pub scheduled_at: Option<Timestamp>,
    /// What was checked before.
    pub pre_checks: PreChecks,
    /// Who asked.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// How far it is.
    pub state: PromotionState,
    /// How it came there, oldest first.
    pub history: Vec<PromotionEvent>,
}

/// How bad a failure would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each variant is its own name")]
pub enum Impact {
    Low,
    Medium,
    High,
    Critical,
}

/// What was checked before somebody asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is its own name")]
pub struct PreChecks {
    pub staging_tests_passed: bool,
    pub security_scan_passed: bool,
    pub performance_tests_passed: bool,
    pub test_evidence_url: Option<String>,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each variant is its own name")]
pub enum PromotionState {
    Pending,
    Approved,
    Rejected,
    Deploying,
    Deployed,
    Failed,
}

/// A step in the life of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is its own name")]
pub struct PromotionEvent {
    pub action: String,
    pub at: Timestamp,
    pub by: String,
    pub comment: String,
}
