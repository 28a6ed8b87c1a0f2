//! An error with its causes, written once where it is handled.

use std::{error::Error, fmt::Write as _};

/// `error` and all its sources in one line, separated by colons.
///
/// The texts of our errors name the attempt and never repeat their source, so nothing is said twice; a foreign
/// error that does repeat it is not repeated here.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !line.ends_with(&text) {
            // Writing to a string cannot fail.
            let _ = write!(line, ": {text}");
        }
        next = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not read `tenant.yaml`")]
    struct Reading(#[source] Parsing);

    #[derive(Debug, thiserror::Error)]
    #[error("line 3 is not a mapping")]
    struct Parsing;

    #[test]
    fn every_cause_is_named_once() {
        assert_eq!(chain(&Reading(Parsing)), "could not read `tenant.yaml`: line 3 is not a mapping");
        assert_eq!(chain(&Parsing), "line 3 is not a mapping");
    }
}
