//! A producer of one version with a consumer of another, both ways round.

use apache_avro::{Schema, types::Value, writer::datum::GenericDatumWriter};
use events::{DeployRequest, Event, WriterSchema, compatibility, wire};
use serde_json::{Value as Json, json};

/// The schema of `deploy-requests` as a later version may be: a field gone that had a default, a field added,
/// a symbol added.
fn later() -> String {
    let mut schema: Json = serde_json::from_str(DeployRequest::SCHEMA).unwrap();
    let fields = schema["fields"].as_array_mut().unwrap();
    fields.retain(|field| field["name"] != "reason");
    let operation = fields.iter_mut().find(|field| field["name"] == "operation").unwrap();
    operation["type"]["symbols"].as_array_mut().unwrap().push(json!("pause"));
    fields.push(json!({"name": "priority", "doc": "How urgent.", "type": "int", "default": 7}));
    schema.to_string()
}

fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

fn written_later(operation: (u32, &str)) -> Vec<u8> {
    let schema = Schema::parse_str(&later()).unwrap();
    let value = Value::Record(vec![
        ("request_id".to_owned(), text("r-1")),
        ("tenant".to_owned(), text("acme")),
        ("api".to_owned(), text("pets")),
        ("environment".to_owned(), text("dev")),
        ("operation".to_owned(), Value::Enum(operation.0, operation.1.to_owned())),
        ("gateways".to_owned(), Value::Array(vec![text("edge")])),
        ("pin".to_owned(), Value::Union(0, Box::new(Value::Null))),
        ("priority".to_owned(), Value::Int(1)),
    ]);
    GenericDatumWriter::builder(&schema).build().unwrap().write_value_to_vec(value).unwrap()
}

#[test]
fn the_later_version_is_fully_compatible() {
    compatibility::full(&later(), DeployRequest::SCHEMA).unwrap();
}

#[test]
fn an_old_consumer_reads_a_new_producer() {
    let writer = WriterSchema::parse(&later()).unwrap();
    let request: DeployRequest = wire::decode(&written_later((1, "deploy")), &writer).unwrap();
    insta::assert_json_snapshot!(request, @r#"
    {
      "request_id": "r-1",
      "tenant": "acme",
      "api": "pets",
      "environment": "dev",
      "operation": "deploy",
      "gateways": [
        "edge"
      ],
      "pin": null,
      "reason": null
    }
    "#);
}

#[test]
fn a_symbol_that_an_old_consumer_does_not_know_is_unknown_to_it() {
    let writer = WriterSchema::parse(&later()).unwrap();
    let request: DeployRequest = wire::decode(&written_later((4, "pause")), &writer).unwrap();
    assert_eq!(request.operation, events::DeployOperation::Unknown);
}

#[test]
fn a_new_consumer_reads_an_old_producer() {
    let old = DeployRequest {
        request_id: "r-2".to_owned(),
        tenant: "acme".to_owned(),
        api: "pets".to_owned(),
        environment: "dev".to_owned(),
        operation: events::DeployOperation::Rollback,
        gateways: vec![],
        pin: None,
        reason: Some("wrong price".to_owned()),
    };
    let value = wire::encode(&old, wire::SchemaId(1)).unwrap();
    let (_, body) = wire::split(&value).unwrap();

    let writer = Schema::parse_str(DeployRequest::SCHEMA).unwrap();
    let reader = Schema::parse_str(&later()).unwrap();
    let read = apache_avro::reader::datum::GenericDatumReader::builder(&writer)
        .reader_schema(&reader)
        .build()
        .unwrap()
        .read_value(&mut &body[..])
        .unwrap();
    let Value::Record(fields) = read else { panic!("a record") };
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    assert_eq!(field("operation"), Some(Value::Enum(3, "rollback".to_owned())));
    assert_eq!(field("priority"), Some(Value::Int(7)));
    assert_eq!(field("reason"), None);
}
