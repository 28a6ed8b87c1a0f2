"""Another team's producer: confluent-kafka with its Avro serializer and a signature of its own key."""

import base64
import hashlib
import json
import subprocess
import time
import uuid

from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

WAIT = 60  # seconds


def _b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signature(key, kid, ce_id, topic, tenant, value):
    protected = _b64(json.dumps({"alg": "EdDSA", "kid": kid}, separators=(",", ":")).encode())
    payload = "\n".join([ce_id, topic, tenant, hashlib.sha256(value).hexdigest()])
    signed = key.sign(f"{protected}.{_b64(payload.encode())}".encode())
    return f"{protected}..{_b64(signed)}"


def _register(platform, directory, key):
    """Puts the producer's public key into the demo tenant's document, by a push as anybody would."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@demo.example"]
    subprocess.run([*git, "clone", "-q", platform.git, directory], check=True)
    path = directory / "tenants" / "demo" / "tenant.yaml"
    producer = f"  producers:\n    ci:\n      keyId: ci-1\n      publicKey: {_b64(raw)}\n      operations: [deploy]\n"
    path.write_text(path.read_text().replace("spec:\n", "spec:\n" + producer, 1))
    subprocess.run([*git, "commit", "-qam", "Register a producer"], cwd=directory, check=True)
    subprocess.run([*git, "push", "-q"], cwd=directory, check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=directory, check=True, capture_output=True, text=True)
    return commit.stdout.strip()


def _wait_for_commit(platform, commit):
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        if any(trace["commit"] == commit for trace in platform.get("/v1/traces?limit=50")["items"]):
            return
        time.sleep(0.1)
    raise AssertionError(f"commit {commit} was not relayed")


class Topics:
    def __init__(self, platform):
        self.platform = platform
        self.registry = SchemaRegistryClient({"url": platform.registry.rstrip("/")})

    def request(self, value, key, kid="ci-1", sign=True):
        """Writes a deploy request with the schema that the registry has; returns its `ce_id`."""
        topic = "deploy-requests"
        schema = self.registry.get_latest_version(f"{topic}-value").schema.schema_str
        serialize = AvroSerializer(
            self.registry, schema, conf={"auto.register.schemas": False, "use.latest.version": True}
        )
        data = serialize(value, SerializationContext(topic, MessageField.VALUE))
        ce_id = str(uuid.uuid4())
        headers = [("ce_id", ce_id), ("ce_specversion", "1.0"), ("ce_source", "/ci"), ("ce_type", "io.stoa.deploy-requests"),
                   ("ce_time", "2026-01-01T00:00:00Z"), ("content-type", "application/avro")]
        if sign:
            headers.append(("stoa-signature", _signature(key, kid, ce_id, topic, value["tenant"], data)))
        failed = []
        producer = Producer({"bootstrap.servers": self.platform.kafka, "partitioner": "murmur2_random"})
        producer.produce(topic, key=value["tenant"], value=data, headers=headers,
                         on_delivery=lambda error, _: failed.append(error) if error else None)
        assert producer.flush(WAIT) == 0 and not failed
        return ce_id

    def first(self, topic, wanted):
        """The first record of a topic that `wanted` accepts."""
        deserialize = AvroDeserializer(self.registry)
        consumer = Consumer({"bootstrap.servers": self.platform.kafka, "group.id": str(uuid.uuid4()),
                             "auto.offset.reset": "earliest", "isolation.level": "read_committed"})
        consumer.subscribe([topic])
        deadline = time.monotonic() + WAIT
        try:
            while time.monotonic() < deadline:
                message = consumer.poll(1.0)
                if message is None or message.error():
                    continue
                record = deserialize(message.value(), SerializationContext(topic, MessageField.VALUE))
                if wanted(record):
                    return record
        finally:
            consumer.close()
        raise AssertionError(f"no such record on {topic}")


def _deploy(request_id, **changes):
    return {"request_id": request_id, "tenant": "demo", "api": "petstore", "environment": "dev",
            "operation": "deploy", "gateways": [], "pin": None, "reason": "a release", **changes}


def test_a_signed_request_is_accepted_and_others_are_refused(platform, tmp_path):
    key = Ed25519PrivateKey.generate()
    commit = _register(platform, tmp_path / "checkout", key)
    _wait_for_commit(platform, commit)
    topics = Topics(platform)

    topics.request(_deploy("py-1"), key)
    accepted = topics.first("request-outcomes", lambda record: record["request_id"] == "py-1")
    assert (accepted["outcome"], accepted["reason"]) == ("accepted", None)

    topics.request(_deploy("py-2"), key, sign=False)
    unsigned = topics.first("request-outcomes", lambda record: record["request_id"] == "py-2")
    assert unsigned["outcome"] == "refused"

    topics.request(_deploy("py-3", api="no-such-api"), key)
    unknown = topics.first("request-outcomes", lambda record: record["request_id"] == "py-3")
    assert unknown["outcome"] == "refused"
    assert unknown["message"]
    audited = topics.first("audit-log", lambda record: record["outcome"] == "refused")
    assert audited["tenant"] == "demo"


def test_results_are_read_with_a_stock_deserializer(platform):
    result = Topics(platform).first("deploy-results", lambda record: record["api"] == "petstore")
    assert (result["tenant"], result["environment"], result["outcome"]) == ("demo", "dev", "succeeded")
