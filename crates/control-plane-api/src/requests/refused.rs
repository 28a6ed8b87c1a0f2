//! Why a request has no effect.

use domain::{entity::Operation, name::NameError};
use event_bus::signature::SignatureError;

use super::arrival::shown;
use crate::commands::Refusal;

/// Why a request has no effect; the reason is stable, the text is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("there is no tenant `{}`", shown(.0))]
    TenantNotFound(String),
    #[error("{0}")]
    Signature(SignatureError),
    #[error("producer `{producer}` may not ask for `{operation}`")]
    Operation { producer: String, operation: Operation },
    #[error("the request asks for something that this version does not know")]
    UnknownOperation,
    #[error("an id has 1 to 128 letters, digits, `-`, `_`, `.` and `:`")]
    RequestId,
    #[error("the id was used before, for another request")]
    IdReused,
    #[error("{0}")]
    Name(NameError),
    #[error("`{}` is not a full commit id", shown(.0))]
    Pin(String),
    #[error("{0}")]
    Document(String),
    #[error("{0}")]
    Command(Refusal),
}

impl Refused {
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::TenantNotFound(_) => "tenant-not-found",
            Self::Signature(SignatureError::Missing) => "unsigned",
            Self::Signature(SignatureError::UnknownKey(_)) => "unknown-key",
            Self::Signature(_) => "bad-signature",
            Self::Operation { .. } => "operation-not-allowed",
            Self::UnknownOperation => "unknown-operation",
            Self::RequestId => "invalid-request-id",
            Self::IdReused => "id-reused",
            Self::Name(_) => "invalid-name",
            Self::Pin(_) => "invalid-pin",
            Self::Document(_) => "invalid-document",
            Self::Command(refusal) => refusal.reason(),
        }
    }
}

impl From<NameError> for Refused {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Command(refusal)
    }
}
