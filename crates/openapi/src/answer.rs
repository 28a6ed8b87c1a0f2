//! What comes back from an operation, as content of a tool's result.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// A piece of content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Text.
    Text(String),
    /// A picture.
    Image {
        /// Its media type.
        media_type: String,
        /// Its bytes in base64.
        data: String,
    },
    /// Sound.
    Audio {
        /// Its media type.
        media_type: String,
        /// Its bytes in base64.
        data: String,
    },
    /// Other bytes.
    Binary {
        /// Their media type.
        media_type: String,
        /// The bytes in base64.
        data: String,
    },
}

/// The answer of an operation, in the terms of a tool's result.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What a model reads.
    pub blocks: Vec<Block>,
    /// The JSON of a successful answer.
    pub structured: Option<Value>,
    /// Whether the operation failed.
    pub is_error: bool,
}

impl Answer {
    pub(crate) fn of(status: u16, content_type: Option<&str>, body: &[u8]) -> Self {
        let media_type = media_type(content_type);
        let is_error = !(200..400).contains(&status);
        if is_error {
            let text = match String::from_utf8_lossy(body).trim() {
                "" => format!("HTTP {status}"),
                text => format!("HTTP {status}: {text}"),
            };
            return Self { blocks: vec![Block::Text(text)], structured: None, is_error };
        }
        if body.is_empty() {
            let text = format!("HTTP {status}, no content");
            return Self { blocks: vec![Block::Text(text)], structured: None, is_error };
        }
        let structured = is_json(&media_type).then(|| serde_json::from_slice(body).ok()).flatten();
        Self { blocks: vec![block(media_type, body)], structured, is_error }
    }
}

fn block(media_type: String, body: &[u8]) -> Block {
    match media_type.split('/').next() {
        Some("image") if media_type != "image/svg+xml" => {
            Block::Image { media_type, data: STANDARD.encode(body) }
        }
        Some("audio") => Block::Audio { media_type, data: STANDARD.encode(body) },
        _ => match std::str::from_utf8(body) {
            Ok(text) => Block::Text(text.to_owned()),
            Err(_) => Block::Binary { media_type, data: STANDARD.encode(body) },
        },
    }
}

fn media_type(content_type: Option<&str>) -> String {
    let full = content_type.unwrap_or("application/octet-stream");
    full.split(';').next().unwrap_or(full).trim().to_ascii_lowercase()
}

pub(crate) fn is_json(media_type: &str) -> bool {
    media_type.ends_with("/json") || media_type.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_json_answer_is_text_and_structure() {
        let answer = Answer::of(200, Some("application/vnd.x+json; charset=utf-8"), br#"{"a":1}"#);
        assert_eq!(answer.blocks, [Block::Text(r#"{"a":1}"#.into())]);
        assert_eq!(answer.structured, Some(json!({"a": 1})));
    }

    #[test]
    fn a_failure_names_its_status_and_says_what_the_backend_said() {
        let answer = Answer::of(404, Some("application/json"), br#"{"title":"no such pet"}"#);
        assert!(answer.is_error);
        assert_eq!(answer.blocks, [Block::Text(r#"HTTP 404: {"title":"no such pet"}"#.into())]);
        assert_eq!(answer.structured, None);
    }

    #[test]
    fn pictures_and_other_bytes_are_encoded() {
        let picture = Answer::of(200, Some("image/png"), &[137, 80]);
        assert_eq!(picture.blocks, [Block::Image { media_type: "image/png".into(), data: "iVA=".into() }]);
        let bytes = Answer::of(200, None, &[255, 0]);
        let binary = Block::Binary { media_type: "application/octet-stream".into(), data: "/wA=".into() };
        assert_eq!(bytes.blocks, [binary]);
        assert_eq!(Answer::of(204, None, b"").blocks, [Block::Text("HTTP 204, no content".into())]);
    }
}
