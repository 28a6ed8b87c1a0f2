//! Why bytes are not a document.

use std::fmt;

use crate::document::Format;

/// Where in the text an error was seen, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why bytes are not an OpenAPI document that we can serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More bytes than allowed.
    #[error("the document has {size} bytes; at most {max} are accepted")]
    TooLarge { size: usize, max: usize },
    /// Neither UTF-8 nor anything that converts to it.
    #[error("the document is not UTF-8 text: the byte at offset {offset} does not belong there")]
    NotText { offset: usize },
    /// The text is not JSON or YAML, or goes beyond a limit.
    #[error("{}{message}", at(*format, *place))]
    Syntax { format: Format, place: Option<Place>, message: String },
    /// The top of the document is not an object.
    #[error("an OpenAPI document is an object; this one is {found}")]
    NotAnObject { found: &'static str },
    /// Neither `openapi` nor `swagger` at the top.
    #[error("the document has neither `openapi` nor `swagger` at its top, so it is not an OpenAPI document")]
    NoVersion,
    /// A version that is not served.
    #[error("OpenAPI {version} is not supported; 2.0, 3.0 and 3.1 are")]
    UnsupportedVersion { version: String },
    /// More operations than allowed.
    #[error("the document has {count} operations; at most {max} are accepted")]
    TooManyOperations { count: usize, max: usize },
}

impl Error {
    /// Where in the text the error was seen, if the reader said so.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Syntax { place, .. } => *place,
            _ => None,
        }
    }
}

fn at(format: Format, place: Option<Place>) -> String {
    match place {
        Some(place) => format!("{format}, {place}: "),
        None => format!("{format}: "),
    }
}
