//! Rules of `schemas/` beyond Avro's own.

use std::{collections::BTreeSet, fs, path::PathBuf};

use apache_avro::Schema;
use events::{compatibility, schemas, topics};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas")
}

#[test]
fn the_lock_the_folder_and_the_code_name_the_same_versions() {
    let code: BTreeSet<String> =
        schemas::ALL.iter().map(|v| format!("{} {} {}", v.topic, v.version, v.id.0)).collect();
    let lock = fs::read_to_string(folder().join("ids.lock")).unwrap();
    let lock: BTreeSet<String> =
        lock.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    assert_eq!(code, lock);

    let named: BTreeSet<PathBuf> =
        schemas::ALL.iter().map(|v| folder().join(v.topic).join(format!("{}.avsc", v.version))).collect();
    let topics = topics::ALL.iter().map(|topic| folder().join(topic.name));
    let found: BTreeSet<PathBuf> =
        topics.flat_map(|dir| fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path())).collect();
    assert_eq!(named, found);

    let ids: BTreeSet<u32> = schemas::ALL.iter().map(|v| v.id.0).collect();
    assert_eq!(ids.len(), schemas::ALL.len(), "no id is used twice");
}

#[test]
fn versions_of_a_topic_read_each_other() {
    for topic in topics::ALL {
        let versions: Vec<_> = schemas::of(topic.name).collect();
        for (at, new) in versions.iter().enumerate() {
            for old in &versions[..at] {
                compatibility::full(new.text, old.text)
                    .unwrap_or_else(|e| panic!("{} {} and {}: {e}", topic.name, new.version, old.version));
            }
        }
    }
}

#[test]
fn every_enum_begins_with_unknown_and_every_nullable_field_defaults_to_null() {
    for version in schemas::ALL {
        check(&Schema::parse_str(version.text).unwrap(), version.topic);
    }
}

fn check(schema: &Schema, at: &str) {
    match schema {
        Schema::Record(record) => {
            for field in &record.fields {
                let place = format!("{at}.{}", field.name);
                assert!(field.doc.as_ref().is_some_and(|doc| !doc.is_empty()), "{place} has a doc");
                if let Schema::Union(union) = &field.schema {
                    assert_eq!(union.variants()[0], Schema::Null, "{place}");
                    assert_eq!(field.default, Some(serde_json::Value::Null), "{place}");
                }
                check(&field.schema, &place);
            }
        }
        Schema::Enum(kind) => {
            assert_eq!(kind.symbols.first().map(String::as_str), Some("unknown"), "{at}");
            assert_eq!(kind.default.as_deref(), Some("unknown"), "{at}");
        }
        Schema::Array(array) => check(&array.items, at),
        Schema::Map(map) => check(&map.types, at),
        Schema::Union(union) => union.variants().iter().for_each(|variant| check(variant, at)),
        _ => {}
    }
}
