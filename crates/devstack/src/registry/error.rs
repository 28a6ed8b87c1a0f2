//! Refusals, with the codes that Confluent's clients know.

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use serde_json::json;

use super::JournalError;

/// Why the registry refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("Subject '{subject}' not found.")]
    SubjectNotFound { subject: String },
    #[error("Version {version} not found.")]
    VersionNotFound { version: String },
    #[error("Schema not found")]
    SchemaNotFound,
    #[error("Subject '{subject}' does not have subject-level compatibility configured")]
    NoSubjectCompatibility { subject: String },
    #[error("Subject '{subject}' does not have subject-level mode configured")]
    NoSubjectMode { subject: String },
    #[error(
        "Schema being registered is incompatible with an earlier schema for subject '{subject}': {reason}"
    )]
    Incompatible { subject: String, reason: String },
    #[error("Invalid schema: {reason}")]
    InvalidSchema { reason: String },
    #[error(
        "The specified version '{version}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\""
    )]
    InvalidVersion { version: String },
    #[error("Invalid compatibility level '{level}'. This registry has NONE, FULL and FULL_TRANSITIVE")]
    InvalidCompatibility { level: String },
    #[error("Invalid mode '{mode}'. Valid values are READWRITE, READONLY and IMPORT")]
    InvalidMode { mode: String },
    #[error("Subject '{subject}' is in read-only mode")]
    ReadOnly { subject: String },
    #[error("Subject '{subject}' is not in import mode")]
    NotImporting { subject: String },
    #[error("Cannot import since found existing subjects")]
    NotEmpty,
    #[error("Overwrite new schema with id {id} is not permitted.")]
    IdTaken { id: i32 },
    #[error("Version {version} of subject '{subject}' holds another schema")]
    VersionTaken { subject: String, version: i32 },
    #[error("Error while storing the schema")]
    Journal(#[from] JournalError),
}

impl Error {
    /// The code in the body; its first three digits are the status.
    fn code(&self) -> u32 {
        match self {
            Self::SubjectNotFound { .. } => 40401,
            Self::VersionNotFound { .. } => 40402,
            Self::SchemaNotFound => 40403,
            Self::NoSubjectCompatibility { .. } => 40408,
            Self::NoSubjectMode { .. } => 40409,
            Self::Incompatible { .. } => 409,
            Self::InvalidSchema { .. } => 42201,
            Self::InvalidVersion { .. } => 42202,
            Self::InvalidCompatibility { .. } => 42203,
            Self::InvalidMode { .. } => 42204,
            Self::ReadOnly { .. } | Self::NotImporting { .. } | Self::NotEmpty => 42205,
            Self::IdTaken { .. } | Self::VersionTaken { .. } => 42207,
            Self::Journal(_) => 50001,
        }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        let code = self.code();
        let status = if code > 999 { code / 100 } else { code };
        u16::try_from(status)
            .ok()
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        if let Self::Journal(error) = self {
            tracing::error!(error = runtime::chain(error), "The registry's journal cannot be written");
        }
        HttpResponse::build(self.status_code())
            .content_type(super::answer::CONTENT_TYPE)
            .json(json!({ "error_code": self.code(), "message": self.to_string() }))
    }
}
