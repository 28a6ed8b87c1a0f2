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
    let request: DeployRequest = wire::decode(&written_later((5, "pause")), &writer).unwrap();
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

#[test]
fn what_the_first_version_does_not_know_is_unknown_to_it_and_the_second_reads_the_first() {
    let versions: Vec<_> = events::schemas::of(DeployRequest::TOPIC.name).collect();
    let [first, second] = versions[..] else { panic!("two versions: {versions:?}") };
    let sync = DeployRequest {
        request_id: "r-3".to_owned(),
        tenant: "acme".to_owned(),
        api: "pets".to_owned(),
        environment: "dev".to_owned(),
        operation: events::DeployOperation::Sync,
        gateways: vec![],
        pin: None,
        reason: None,
    };
    let value = wire::encode(&sync, second.id).unwrap();
    let (id, body) = wire::split(&value).unwrap();
    assert_eq!(id, second.id);
    let (old, new) = (Schema::parse_str(first.text).unwrap(), Schema::parse_str(second.text).unwrap());
    let read = |writer: &Schema, reader: &Schema, mut body: &[u8]| {
        let reading = apache_avro::reader::datum::GenericDatumReader::builder(writer).reader_schema(reader);
        let Value::Record(fields) = reading.build().unwrap().read_value(&mut body).unwrap() else {
            panic!("a record")
        };
        fields.into_iter().find(|(name, _)| name == "operation").unwrap().1
    };
    assert_eq!(read(&new, &old, body), Value::Enum(0, "unknown".to_owned()));
    assert_eq!(read(&new, &new, body), Value::Enum(4, "sync".to_owned()));
    let deploy = DeployRequest { operation: events::DeployOperation::Deploy, ..sync };
    // What both versions know is written alike.
    let value = wire::encode(&deploy, first.id).unwrap();
    let (_, body) = wire::split(&value).unwrap();
    let known: DeployRequest = wire::decode(body, &WriterSchema::parse(first.text).unwrap()).unwrap();
    assert_eq!(known, deploy);
}
