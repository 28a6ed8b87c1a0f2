//! A value for any schema, the same in every run, with legal names where names are wanted.

use apache_avro::{Schema, types::Value};

/// A value of `schema`; `field` is the name of the field that holds it.
pub(crate) fn sample(schema: &Schema, field: &str, names: &mut Vec<Schema>) -> Value {
    match schema {
        Schema::Null => Value::Null,
        Schema::Boolean => Value::Boolean(true),
        Schema::Int => Value::Int(3),
        Schema::Long => Value::Long(4_294_967_297),
        Schema::TimestampMillis => Value::TimestampMillis(1_764_000_000_123),
        Schema::Bytes => Value::Bytes(vec![0, 1, 254, 255]),
        Schema::String => Value::String(text(field)),
        Schema::Array(array) => Value::Array(vec![sample(&array.items, field, names)]),
        Schema::Map(map) => Value::Map([("NAME".to_owned(), sample(&map.types, field, names))].into()),
        Schema::Union(union) => {
            let last = union.variants().len() - 1;
            let value = sample(&union.variants()[last], field, names);
            Value::Union(u32::try_from(last).unwrap(), Box::new(value))
        }
        Schema::Enum(kind) => {
            names.push(schema.clone());
            let last = kind.symbols.len() - 1;
            Value::Enum(u32::try_from(last).unwrap(), kind.symbols[last].clone())
        }
        Schema::Record(record) => {
            names.push(schema.clone());
            let fields = record.fields.iter();
            Value::Record(fields.map(|f| (f.name.clone(), sample(&f.schema, &f.name, names))).collect())
        }
        Schema::Ref { name } => {
            let known = names.iter().find(|known| known.name().is_some_and(|n| n.name() == name.name()));
            let known = known.cloned().unwrap();
            sample(&known, field, names)
        }
        other => panic!("no sample for {other:?}"),
    }
}

fn text(field: &str) -> String {
    match field {
        "tenant" => "acme",
        "api" => "pets",
        "application" => "shop",
        "plan" => "gold",
        "gateway" => "edge",
        "environment" | "environments" => "dev",
        "commit" | "content_commit" | "pin" => "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
        "digest" => "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "uid" | "order_id" | "group" | "cancels" => "0198c0de-0000-7000-8000-00000000002a",
        other => return format!("{other} of the sample"),
    }
    .to_owned()
}
