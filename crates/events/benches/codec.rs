//! Encoding and decoding of an order with a document of 20 KiB, and of a step without one.

use std::{fmt::Write as _, hint::black_box};

use criterion::{Criterion, criterion_group, criterion_main};
use domain::id::Digest;
use events::{DeploymentStep, Document, Event, GatewayRoute, WriterSchema, wire};

const ID: &str = "0198c0de-0000-7000-8000-00000000002a";
const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn step() -> DeploymentStep {
    serde_json::from_value(serde_json::json!({
        "order_id": ID, "group": ID, "tenant": "acme", "api": "pets", "environment": "dev",
        "gateway": "edge", "sequence": 3, "step": "apply", "phase": "finished", "attempt": 1,
        "message": null, "trace": "t", "at": 1_764_000_000_123_i64,
    }))
    .expect("a step")
}

fn route() -> GatewayRoute {
    let mut text = String::new();
    for line in 0..20 * 1024 / 32 {
        let _ = writeln!(
            text,
            "/pets/{line:020}: operation {}",
            Digest::of(&[u8::try_from(line % 251).unwrap_or(0)])
        );
    }
    let document = Document::pack(text.as_bytes(), "application/yaml").expect("a document");
    GatewayRoute {
        document,
        ..serde_json::from_value(serde_json::json!({
            "tenant": "acme", "api": "pets", "environment": "dev",
            "generation": { "epoch": 1, "revision": 7 }, "order_id": ID,
            "commit": "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12", "digest": DIGEST, "uid": ID,
            "version": "1.0.0", "display_name": "Pets", "description": "", "document":
            { "media_type": "", "digest": DIGEST, "size": 0, "content": [] },
            "upstream": { "url": "http://127.0.0.1:1", "timeout_ms": 30000 },
            "authentication": "oauth2", "scopes": [],
            "policies": { "requests_per_minute": null, "burst": null },
        }))
        .expect("a route")
    }
}

fn both<E: Event>(criterion: &mut Criterion, record: &E) {
    let name = E::TOPIC.name;
    let id = wire::SchemaId(1);
    let value = wire::encode(record, id).expect("it encodes");
    let (_, body) = wire::split(&value).expect("a framed value");
    let own = WriterSchema::parse(E::SCHEMA).expect("a schema");
    criterion.bench_function(&format!("encode {name}, {} bytes", value.len()), |bench| {
        bench.iter(|| wire::encode(black_box(record), id));
    });
    criterion.bench_function(&format!("decode {name}, {} bytes", value.len()), |bench| {
        bench.iter(|| wire::decode::<E>(black_box(body), &own));
    });
}

fn codec(criterion: &mut Criterion) {
    both(criterion, &step());
    both(criterion, &route());
}

criterion_group!(benches, codec);
criterion_main!(benches);
