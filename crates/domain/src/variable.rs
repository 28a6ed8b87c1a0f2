//! Variables, and values that may be written with them.

use std::{collections::BTreeMap, fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Variables by name; every value is text, possibly with variables inside.
pub type Variables = BTreeMap<VariableName, String>;

/// The name of a variable: upper-case letters, digits and underscores, not beginning with a digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = r"^[A-Z_][A-Z0-9_]{0,127}$"))]
pub struct VariableName(String);

impl VariableName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no name of a variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a variable name: use A-Z, 0-9 and _, not beginning with a digit, at most 128 characters"
)]
pub struct VariableNameError(String);

impl TryFrom<String> for VariableName {
    type Error = VariableNameError;

    fn try_from(name: String) -> Result<Self, VariableNameError> {
        let legal = name.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
        let starts = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        if legal && starts && name.len() <= 128 {
            Ok(Self(name))
        } else {
            Err(VariableNameError(name.chars().take(80).collect()))
        }
    }
}

impl FromStr for VariableName {
    type Err = VariableNameError;

    fn from_str(name: &str) -> Result<Self, VariableNameError> {
        Self::try_from(name.to_owned())
    }
}

impl From<VariableName> for String {
    fn from(name: VariableName) -> Self {
        name.0
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `text` holds a variable, so that its meaning is known only once that is resolved.
#[must_use]
pub fn is_template(text: &str) -> bool {
    text.contains("${")
}

/// A value that stands there, or a text with variables that becomes one when they are resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Templated<T> {
    /// The value.
    Literal(T),
    /// A text such as `${BACKEND_TIMEOUT:30}`.
    Template(String),
}

impl<T> Templated<T> {
    /// The value, if it stands there.
    pub fn literal(&self) -> Option<&T> {
        match self {
            Self::Literal(value) => Some(value),
            Self::Template(_) => None,
        }
    }
}

impl<T> From<T> for Templated<T> {
    fn from(value: T) -> Self {
        Self::Literal(value)
    }
}

impl<T: fmt::Display> fmt::Display for Templated<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(value) => value.fmt(f),
            Self::Template(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_an_upper_case_name() {
        assert!("BACKEND_TIMEOUT".parse::<VariableName>().is_ok());
        for name in ["", "backend", "1ST", "A-B", "Ä"] {
            assert!(name.parse::<VariableName>().is_err(), "{name}");
        }
    }
}
