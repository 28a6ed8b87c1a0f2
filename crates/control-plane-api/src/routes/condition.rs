//! Conditions of callers on what they change.

use domain::id::Digest;
use web::{Kind, Problem, etag::IfMatch};

use crate::commands::Precondition;

/// Refuses a change without a condition: 428.
pub(super) fn needed(condition: &IfMatch) -> Result<(), Problem> {
    match condition.require(Some(&Digest::of(b""))) {
        // Only the absence counts here; whether it holds is seen at the head of the branch.
        Err(problem) if problem.kind() == Kind::PreconditionRequired => Err(problem),
        _ => Ok(()),
    }
}

/// The condition as commands check it.
pub(super) fn precondition(condition: IfMatch) -> Precondition {
    Precondition::new(move |current| condition.check(current).is_ok())
}
