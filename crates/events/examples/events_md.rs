//! Prints `docs/events.md` from the table of topics and the schemas; `scripts/generate` writes it.

use std::fmt::Write as _;

use apache_avro::{Schema, schema::RecordSchema};
use events::topics::{ALL, Cleanup, Party, Topic};

fn main() {
    print!("{}", page());
}

fn page() -> String {
    let mut out = String::from(
        "# Events\n\n\
         <!-- Generated from `crates/events/src/topics.rs` and `schemas/` by `scripts/generate`. -->\n\n\
         One topic, one record type, one subject `<topic>-value`, compatibility FULL_TRANSITIVE. Values are Avro in\n\
         Confluent's wire format (a zero byte, the schema id in four bytes), headers are CloudEvents 1.0 in binary\n\
         mode. Producers of other teams write to the request topics; such a record carries the header\n\
         `stoa-signature`, see [signed requests](signed-requests.md).\n\n\
         | topic | key | partitions | kept | writers | readers |\n|---|---|---|---|---|---|\n",
    );
    for topic in ALL {
        let _ = writeln!(
            out,
            "| [`{0}`](#{0}) | {1} | {2} | {3} | {4} | {5} |",
            topic.name,
            topic.key,
            topic.partitions,
            kept(topic.cleanup),
            parties(topic.writers),
            parties(topic.readers),
        );
    }
    for topic in ALL {
        section(&mut out, topic);
    }
    out
}

fn kept(cleanup: Cleanup) -> String {
    match cleanup {
        Cleanup::Delete(age) => format!("{} days", age.as_hours() / 24),
        Cleanup::Compact => "newest of each key".to_owned(),
    }
}

fn parties(parties: &[Party]) -> String {
    let name = |party: &Party| match party {
        Party::ControlPlaneApi => "control-plane-api",
        Party::DeploymentWorker => "deployment-worker",
        Party::McpGateway => "mcp-gateway",
        Party::EveryService => "every service",
        Party::Outside => "other teams",
    };
    parties.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn section(out: &mut String, topic: &Topic) {
    let Some(newest) = events::schemas::newest(topic.name) else { return };
    let Ok(Schema::Record(record)) = Schema::parse_str(newest.text) else { return };
    let _ = writeln!(
        out,
        "\n## {}\n\n{}\n\n[Schema](../schemas/{}/{}.avsc), id {}; a record has at most {} KiB.\n",
        topic.name,
        record.doc.as_deref().unwrap_or_default(),
        topic.name,
        newest.version,
        newest.id.0,
        topic.max_bytes / 1024,
    );
    out.push_str("| field | type | meaning |\n|---|---|---|\n");
    fields(out, &record, "");
}

fn fields(out: &mut String, record: &RecordSchema, prefix: &str) {
    for field in &record.fields {
        let doc = field.doc.as_deref().unwrap_or_default();
        let _ = writeln!(out, "| `{prefix}{}` | {} | {doc} |", field.name, type_name(&field.schema));
        if let Some(inner) = inner(&field.schema) {
            fields(out, inner, &format!("{prefix}{}.", field.name));
        }
    }
}

fn inner(schema: &Schema) -> Option<&RecordSchema> {
    match schema {
        Schema::Record(record) => Some(record),
        Schema::Array(array) => inner(&array.items),
        Schema::Union(union) => union.variants().iter().find_map(inner),
        _ => None,
    }
}

fn type_name(schema: &Schema) -> String {
    match schema {
        Schema::Boolean => "boolean".to_owned(),
        Schema::Int => "int".to_owned(),
        Schema::Long => "long".to_owned(),
        Schema::TimestampMillis => "time in milliseconds".to_owned(),
        Schema::Bytes => "bytes".to_owned(),
        Schema::String => "string".to_owned(),
        Schema::Array(array) => format!("list of {}", type_name(&array.items)),
        Schema::Map(map) => format!("map of {}", type_name(&map.types)),
        Schema::Union(union) => {
            let some = union.variants().iter().filter(|variant| **variant != Schema::Null);
            format!("{}, or null", some.map(type_name).collect::<Vec<_>>().join(", "))
        }
        Schema::Enum(kind) => kind.symbols.iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(" "),
        Schema::Record(record) => record.name.name().to_owned(),
        Schema::Ref { name } => name.name().to_owned(),
        other => format!("{other:?}"),
    }
}
