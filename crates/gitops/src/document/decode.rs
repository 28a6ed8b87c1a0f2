//! From the text of a document to a typed form, with errors that a person can act on.

use serde::de::DeserializeOwned;

use crate::document::{
    error::{DocumentError, Severity},
    shape::{self, Fault},
};

/// A document's text and where it stands; makes errors with their place.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// Reads the text as `T`.
    pub(super) fn decode<T: DeserializeOwned>(&self) -> Result<T, DocumentError> {
        let deserializer = serde_yaml::Deserializer::from_str(self.text);
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let field = error.path().to_string();
            self.explain(&field, &shape::fault(error.inner()))
        })
    }

    /// An error at a field.
    pub(super) fn at(&self, field: &str, message: impl Into<String>) -> DocumentError {
        let place = shape::locate(self.text, field);
        DocumentError {
            path: self.path.to_owned(),
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
            field: Some(field.to_owned()),
            message: message.into(),
            suggestion: None,
            severity: Severity::Error,
        }
    }

    /// An error of the first pass.
    pub(super) fn fault(&self, fault: Fault) -> DocumentError {
        let (field, message) = match fault.message.split_once(": duplicate key `") {
            Some((parent, key)) => {
                (Some(format!("{parent}.{}", key.trim_end_matches('`'))), "the key is there twice".to_owned())
            }
            None => (None, fault.message),
        };
        DocumentError {
            line: fault.line,
            column: fault.column,
            field,
            ..DocumentError::about(self.path, message)
        }
    }

    fn explain(&self, field: &str, fault: &Fault) -> DocumentError {
        let field = Some(field.trim_start_matches('.')).filter(|field| !field.is_empty() && *field != "?");
        let bare = without_path(&fault.message, field);
        let message = bare.split(", expected ").next().unwrap_or(bare);
        let unknown = ["unknown field `", "unknown variant `"]
            .iter()
            .find_map(|start| message.strip_prefix(start)?.strip_suffix('`'));
        let suggestion = unknown.and_then(|unknown| suggest(unknown, &expected(bare)));
        // What may stand there helps only where nothing near is known.
        let message = if unknown.is_some() && suggestion.is_some() { message } else { bare };
        DocumentError {
            line: fault.line,
            column: fault.column,
            field: field.map(str::to_owned),
            suggestion,
            ..DocumentError::about(self.path, message)
        }
    }
}

/// The YAML reader puts the path before its message; here it is a field of its own.
fn without_path<'m>(message: &'m str, field: Option<&str>) -> &'m str {
    for start in ["unknown field `", "unknown variant `", "missing field `", "duplicate field `"] {
        if let Some(at) = message.find(start) {
            return &message[at..];
        }
    }
    let parent = |field: &str| field.rfind(['.', '[']).map(|end| field[..end].to_owned());
    let mut prefix = field.map(str::to_owned);
    while let Some(path) = prefix {
        if let Some(rest) = message.strip_prefix(&path).and_then(|rest| rest.strip_prefix(": ")) {
            return rest;
        }
        prefix = parent(&path);
    }
    message
}

/// The names that a message says it expected.
fn expected(message: &str) -> Vec<&str> {
    let list = message.split_once(", expected ").map_or("", |(_, list)| list);
    list.split('`').skip(1).step_by(2).collect()
}

/// The known name that is nearest to an unknown one, if it is near at all.
fn suggest(unknown: &str, known: &[&str]) -> Option<String> {
    let plain = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    let nearness = |name: &str| strsim::jaro_winkler(&plain(unknown), &plain(name));
    let best = known.iter().max_by(|a, b| nearness(a).total_cmp(&nearness(b)))?;
    (nearness(best) > 0.8).then(|| (*best).to_owned())
}
