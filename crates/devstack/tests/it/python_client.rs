//! The stock client of another language: confluent-kafka with its Avro serializer, against our registry.

use std::{path::PathBuf, process::Stdio};

use devstack::Backbone;
use tokio::process::Command;

const SCRIPT: &str = r#"
import sys
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

broker, registry = sys.argv[1:]
admin = AdminClient({"bootstrap.servers": broker})
admin.create_topics([NewTopic("orders", 1, 1)])["orders"].result()
client = SchemaRegistryClient({"url": registry})
schema = '{"type":"record","name":"Order","fields":[{"name":"id","type":"string"}]}'
context = SerializationContext("orders", MessageField.VALUE)
value = AvroSerializer(client, schema)({"id": "first"}, context)
producer = Producer({"bootstrap.servers": broker})
producer.produce("orders", value=value)
assert producer.flush(10) == 0
consumer = Consumer({"bootstrap.servers": broker, "group.id": "g", "auto.offset.reset": "earliest"})
consumer.subscribe(["orders"])
record = consumer.poll(20)
print(AvroDeserializer(client)(record.value(), context))
consumer.close()
print(client.get_subjects(), client.get_latest_version("orders-value").version)
"#;

/// A Python that has the client: the one that the test command prepared, or the system's.
fn python() -> PathBuf {
    std::env::var_os("STOA_PYTHON").map_or_else(|| "python3".into(), PathBuf::from)
}

async fn has_client() -> bool {
    let import = Command::new(python())
        .args(["-c", "import confluent_kafka.schema_registry.avro"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    import.await.is_ok_and(|status| status.success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_python_producer_and_consumer_use_the_registry() {
    let test = "a_python_producer_and_consumer_use_the_registry";
    if !has_client().await {
        eprintln!("SKIPPED {test}: no Python with confluent-kafka[avro] (set STOA_PYTHON to one)");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let Some(backbone) = Backbone::for_test(test, home.path()).await else { return };
    let output = Command::new(python())
        .args(["-c", SCRIPT])
        .arg(backbone.kafka().bootstrap_servers())
        .arg(backbone.registry().as_str().trim_end_matches('/'))
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, "{'id': 'first'}\n['orders-value'] 1\n", "{}", String::from_utf8_lossy(&output.stderr));
    backbone.stop().await;
}
