//! `FULL_TRANSITIVE`: every version of a schema reads what every other version wrote.
//!
//! A registry's own check is not relied on: some accept a nullable field without a default. apache-avro's
//! checker knows the resolution rules; "partial" (a reader that fails on some values) is not enough here.

use apache_avro::{
    Schema,
    schema_compatibility::{Compatibility, SchemaCompatibility},
};

/// Why two versions of a schema do not go together.
#[derive(Debug, thiserror::Error)]
pub enum Incompatible {
    /// A text is not an Avro schema.
    #[error("the schema does not parse")]
    Schema(#[source] Box<apache_avro::Error>),
    /// One cannot read what the other wrote.
    #[error("the {reader} version cannot read what the {writer} version wrote")]
    Unreadable {
        /// Which of the two reads.
        reader: &'static str,
        /// Which of the two wrote.
        writer: &'static str,
        /// The first place that does not fit.
        #[source]
        cause: Box<apache_avro::error::CompatibilityError>,
    },
    /// One can read only some of what the other may write, such as an enum without its symbols and default.
    #[error("the {reader} version can read only some values of the {writer} version")]
    Partly {
        /// Which of the two reads.
        reader: &'static str,
        /// Which of the two wrote.
        writer: &'static str,
    },
}

/// Whether `new` and `old` read each other whole.
pub fn full(new: &str, old: &str) -> Result<(), Incompatible> {
    let new = parse(new)?;
    let old = parse(old)?;
    can_read(&new, "new", &old, "old")?;
    can_read(&old, "old", &new, "new")
}

fn parse(text: &str) -> Result<Schema, Incompatible> {
    Schema::parse_str(text).map_err(|error| Incompatible::Schema(Box::new(error)))
}

fn can_read(
    reader: &Schema,
    reader_name: &'static str,
    writer: &Schema,
    writer_name: &'static str,
) -> Result<(), Incompatible> {
    match SchemaCompatibility::can_read(writer, reader) {
        Ok(Compatibility::Full) => Ok(()),
        Ok(Compatibility::Partial) => Err(Incompatible::Partly { reader: reader_name, writer: writer_name }),
        Err(cause) => {
            Err(Incompatible::Unreadable { reader: reader_name, writer: writer_name, cause: Box::new(cause) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(fields: &str) -> String {
        format!(r#"{{"type":"record","name":"Order","namespace":"io.stoa","fields":[{fields}]}}"#)
    }

    const ID: &str = r#"{"name":"id","type":"string"}"#;

    #[test]
    fn fields_with_defaults_come_and_go() {
        let more = r#"{"name":"id","type":"string"},{"name":"note","type":["null","string"],"default":null}"#;
        full(&record(more), &record(ID)).unwrap();
        full(&record(ID), &record(more)).unwrap();
    }

    #[test]
    fn a_symbol_is_added_to_an_enum_with_a_default() {
        let kind = |symbols: &str, default: &str| {
            record(&format!(
                r#"{{"name":"kind","type":{{"type":"enum","name":"Kind","symbols":[{symbols}]{default}}}}}"#
            ))
        };
        let default = r#","default":"unknown""#;
        full(&kind(r#""unknown","a","b""#, default), &kind(r#""unknown","a""#, default)).unwrap();
        assert!(matches!(
            full(&kind(r#""a","b""#, ""), &kind(r#""a""#, "")),
            Err(Incompatible::Partly { .. })
        ));
    }

    #[test]
    fn what_one_side_cannot_read_is_refused() {
        let refused = [
            (
                r#"{"name":"id","type":"string"},{"name":"note","type":["null","string"]}"#,
                "a nullable field without a default",
            ),
            (r#"{"name":"id","type":"string"},{"name":"count","type":"int"}"#, "a field without a default"),
            (r#"{"name":"id","type":"long"}"#, "another type"),
            (r#"{"name":"key","type":"string"}"#, "another name"),
            (r#"{"name":"id","type":["null","string"]}"#, "a field made nullable"),
        ];
        for (fields, what) in refused {
            assert!(full(&record(fields), &record(ID)).is_err(), "{what}");
        }
        let int = record(r#"{"name":"n","type":"int"}"#);
        let long = record(r#"{"name":"n","type":"long"}"#);
        assert!(full(&long, &int).is_err(), "a promoted number reads one way only");
    }
}
