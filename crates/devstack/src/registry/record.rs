//! One change, as the journal keeps it: the key and value that Confluent's registry writes to `_schemas`.

use serde::{Deserialize, Serialize};

/// What a record is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "keytype", rename_all = "UPPERCASE")]
pub(super) enum Key {
    Schema { subject: String, version: i32, magic: i32 },
    Config { subject: Option<String>, magic: i32 },
    Mode { subject: Option<String>, magic: i32 },
}

impl Key {
    pub(super) fn schema(subject: &str, version: i32) -> Self {
        Self::Schema { subject: subject.to_owned(), version, magic: 1 }
    }

    pub(super) fn config(subject: Option<&str>) -> Self {
        Self::Config { subject: subject.map(str::to_owned), magic: 0 }
    }

    pub(super) fn mode(subject: Option<&str>) -> Self {
        Self::Mode { subject: subject.map(str::to_owned), magic: 0 }
    }
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Value {
    Schema {
        subject: String,
        version: i32,
        id: i32,
        schema: String,
        deleted: bool,
    },
    #[serde(rename_all = "camelCase")]
    Config {
        compatibility_level: Level,
    },
    Mode {
        mode: Mode,
    },
}

/// Which versions of a subject must read each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Level {
    /// None need to.
    None,
    /// The newest two.
    Full,
    /// All.
    #[default]
    FullTransitive,
}

impl Level {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "NONE" => Some(Self::None),
            "FULL" => Some(Self::Full),
            "FULL_TRANSITIVE" => Some(Self::FullTransitive),
            _ => None,
        }
    }
}

/// What may be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Mode {
    /// New versions, with ids that the registry gives.
    #[default]
    ReadWrite,
    /// Nothing.
    ReadOnly,
    /// Versions with ids that the caller gives, unchecked: they were checked where they come from.
    Import,
}

impl Mode {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "READWRITE" => Some(Self::ReadWrite),
            "READONLY" => Some(Self::ReadOnly),
            "IMPORT" => Some(Self::Import),
            _ => None,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::ReadWrite => "READWRITE",
            Self::ReadOnly => "READONLY",
            Self::Import => "IMPORT",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_have_the_form_of_the_schemas_topic() {
        let key = serde_json::to_value(Key::schema("orders-value", 2)).unwrap();
        assert_eq!(key, json!({"keytype": "SCHEMA", "subject": "orders-value", "version": 2, "magic": 1}));
        let key = serde_json::to_value(Key::config(None)).unwrap();
        assert_eq!(key, json!({"keytype": "CONFIG", "subject": null, "magic": 0}));
        let value = Value::Config { compatibility_level: Level::FullTransitive };
        assert_eq!(serde_json::to_value(value).unwrap(), json!({"compatibilityLevel": "FULL_TRANSITIVE"}));
        let value = Value::Mode { mode: Mode::ReadWrite };
        assert_eq!(serde_json::to_value(value).unwrap(), json!({"mode": "READWRITE"}));
    }
}
