//! Golden bytes of every version: what was written once is read for ever.

use std::{fmt::Write as _, path::PathBuf};

use apache_avro::{Schema, writer::datum::GenericDatumWriter};
use events::{Event, WriterSchema, schemas, wire};

use crate::sample::sample;

fn path(topic: &str, version: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/contract/golden/{topic}.{version}.hex"))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.chunks(32) {
        for byte in line {
            write!(text, "{byte:02x}").unwrap();
        }
        text.push('\n');
    }
    text
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// The kept bytes of a version; with `STOA_UPDATE_GOLDEN` set, those of a new version are written first.
fn golden(version: &schemas::Version) -> Vec<u8> {
    let path = path(version.topic, version.version);
    #[expect(clippy::disallowed_methods, reason = "a switch of this test, not a setting of a service")]
    let update = std::env::var("STOA_UPDATE_GOLDEN").is_ok();
    if update && !path.exists() {
        let schema = Schema::parse_str(version.text).unwrap();
        let value = sample(&schema, version.topic, &mut Vec::new());
        let body = GenericDatumWriter::builder(&schema).build().unwrap().write_value_to_vec(value).unwrap();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, hex(&body)).unwrap();
    }
    let text = std::fs::read_to_string(&path);
    bytes(
        &text.unwrap_or_else(|_| panic!("{} is missing: run once with STOA_UPDATE_GOLDEN=1", path.display())),
    )
}

/// Every version's golden bytes become the newest type; the newest version's bytes come out again.
fn reads_every_version<E: Event + PartialEq>() {
    let newest = schemas::newest(E::TOPIC.name).unwrap();
    assert_eq!(newest.text, E::SCHEMA, "{}: the type has the newest schema", E::TOPIC.name);
    for version in schemas::of(E::TOPIC.name) {
        let body = golden(version);
        let writer = WriterSchema::parse(version.text).unwrap();
        let record: E = wire::decode(&body, &writer)
            .unwrap_or_else(|error| panic!("{} {}: {error:?}", version.topic, version.version));
        let value = wire::encode(&record, newest.id).unwrap();
        let (id, encoded) = wire::split(&value).unwrap();
        assert_eq!(id, newest.id);
        let own = WriterSchema::parse(newest.text).unwrap();
        assert_eq!(wire::decode::<E>(encoded, &own).unwrap(), record, "{}", version.topic);
        if version == newest {
            assert_eq!(hex(encoded), hex(&body), "{}", version.topic);
        }
        refuses_damage::<E>(&body, &writer);
    }
}

/// No shortened or lengthened body is a record.
fn refuses_damage<E: Event>(body: &[u8], writer: &WriterSchema) {
    for length in 0..body.len() {
        let cut = wire::decode::<E>(&body[..length], writer);
        assert!(cut.is_err(), "{} cut to {length} of {}: {cut:?}", E::TOPIC.name, body.len());
    }
    let mut longer = body.to_vec();
    longer.push(0);
    assert!(matches!(wire::decode::<E>(&longer, writer), Err(wire::WireError::TrailingBytes { count: 1 })));
}

macro_rules! every_topic {
    ($($type:ident),+ $(,)?) => {
        #[test]
        fn every_version_of_every_topic_is_read_and_the_newest_written() {
            $(reads_every_version::<events::$type>();)+
        }

        #[test]
        fn every_topic_has_a_type() {
            let typed = [$(events::$type::TOPIC.name),+];
            for topic in events::topics::ALL {
                assert!(typed.contains(&topic.name), "{}", topic.name);
            }
        }
    };
}

every_topic![
    ApiCreated,
    ApiDeleted,
    ApiRegistration,
    ApiUpdated,
    ApplicationEvent,
    AuditRecord,
    CatalogApi,
    CatalogApplication,
    CatalogEnvironment,
    CatalogGateway,
    CatalogHeads,
    CatalogPlan,
    CatalogTenant,
    CatalogUsers,
    DeployOrder,
    DeployRequest,
    DeployResult,
    DeploymentState,
    DeploymentStep,
    GatewayAck,
    GatewayInstance,
    GatewayRoute,
    GitopsNudge,
    Notification,
    RequestOutcome,
    TenantEvent,
];
