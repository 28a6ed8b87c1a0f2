//! An OpenAPI document as a caller gives it, checked before anything is decided.

use events::{Document, limits};
use openapi::{Format, Limits, Severity};

use super::Refusal;

/// Problems that a refusal names at most.
const NAMED: usize = 20;

/// An OpenAPI document that can be read, served and carried in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenApiText {
    pub(crate) bytes: Vec<u8>,
    pub(crate) json: bool,
}

impl OpenApiText {
    /// Checks a document; reading a large one takes a while, so this runs beside the threads that answer.
    pub(crate) async fn check(bytes: Vec<u8>) -> Result<Self, Refusal> {
        let checked = tokio::task::spawn_blocking(move || check(bytes)).await;
        checked.unwrap_or_else(|_| Err(refused("it could not be read".to_owned())))
    }
}

/// What is wrong with a document, in a line: the check of everything that comes by a push.
pub(crate) fn check_openapi(bytes: &[u8]) -> Result<(), String> {
    read(bytes).map(|_| ()).map_err(|refusal| match refusal {
        Refusal::InvalidDocument { message, .. } => message,
        other => other.to_string(),
    })
}

fn check(bytes: Vec<u8>) -> Result<OpenApiText, Refusal> {
    let json = read(&bytes)?;
    Ok(OpenApiText { bytes, json })
}

/// Whether a sound document is JSON.
fn read(bytes: &[u8]) -> Result<bool, Refusal> {
    let limits = Limits { bytes: limits::DOCUMENT, ..Limits::default() };
    let document = openapi::Document::parse(bytes, &limits).map_err(|error| {
        let place = error.place();
        Refusal::InvalidDocument {
            message: error.to_string(),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            problems: Vec::new(),
        }
    })?;
    let json = document.format() == Format::Json;
    let errors: Vec<String> = document
        .problems()
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(ToString::to_string)
        .take(NAMED)
        .collect();
    if let Some(first) = errors.first() {
        let (message, problems) = (first.clone(), errors);
        return Err(Refusal::InvalidDocument { message, line: None, column: None, problems });
    }
    drop(document);
    Document::pack(bytes, media_type(json)).map_err(|error| refused(error.to_string()))?;
    Ok(json)
}

fn refused(message: String) -> Refusal {
    Refusal::InvalidDocument { message, line: None, column: None, problems: Vec::new() }
}

/// The media type of a document by its notation.
pub(crate) fn media_type(json: bool) -> &'static str {
    if json { "application/json" } else { "application/yaml" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_document_keeps_its_text_and_notation() {
        let yaml = b"openapi: 3.1.0\ninfo: {title: Pets, version: '1'}\npaths: {}\n".to_vec();
        assert_eq!(check(yaml.clone()), Ok(OpenApiText { bytes: yaml, json: false }));
        let json = br#"{"swagger":"2.0","info":{"title":"Pets","version":"1"},"paths":{}}"#.to_vec();
        assert!(check(json).unwrap().json);
    }

    #[test]
    fn a_broken_document_is_refused_with_its_place() {
        let refusal = check(b"{\"openapi\": \"3.1.0\",\n  oops}".to_vec()).unwrap_err();
        let Refusal::InvalidDocument { line, .. } = refusal else { panic!("{refusal}") };
        assert_eq!(line, Some(2));
    }

    #[test]
    fn problems_of_a_document_are_named() {
        let refusal = check(b"openapi: 3.0.3\npaths: {}\n".to_vec()).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "the OpenAPI document is not valid: /info: is missing or not an object"
        );
    }
}
