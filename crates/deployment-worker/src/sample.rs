//! An order and what goes with it, for tests.

use domain::id::{Digest, Epoch, Generation, Revision, derived_id};
use events::{
    Authentication, DeployOrder, Document, GatewayKind, GatewayTarget, OrderKind, Policies, Upstream,
};
use jiff::Timestamp;
use uuid::Uuid;

/// Noon of 1 March 2026, UTC.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_772_366_400, 0);

pub(crate) const DOCUMENT: &str = r#"{"openapi":"3.1.0","info":{"title":"Pets","version":"1"},
    "paths":{"/pets":{"get":{"operationId":"list","responses":{"200":{"description":"all"}}}}}}"#;

pub(crate) fn generation(revision: i64) -> Generation {
    Generation { epoch: Epoch(1), revision: Revision(revision) }
}

/// Revision 5 of `acme/pets` for the built-in gateway of `dev`, with a minute to go.
pub(crate) fn order() -> DeployOrder {
    DeployOrder {
        order_id: derived_id(&["order"]),
        group: derived_id(&["group"]),
        tenant: "acme".parse().unwrap(),
        api: "pets".parse().unwrap(),
        environment: "dev".parse().unwrap(),
        gateway: "edge".parse().unwrap(),
        kind: OrderKind::Apply,
        generation: generation(5),
        commit: "ab".repeat(20).parse().unwrap(),
        content_commit: "cd".repeat(20).parse().unwrap(),
        digest: Digest::of(b"content"),
        uid: Uuid::nil(),
        version: "1.0.0".to_owned(),
        display_name: "Pets".to_owned(),
        description: String::new(),
        document: Some(Document::pack(DOCUMENT.as_bytes(), "application/json").unwrap()),
        upstream: Some(Upstream { url: "http://127.0.0.1:8090".to_owned(), timeout_ms: 1000 }),
        authentication: Authentication::None,
        scopes: Vec::new(),
        policies: Policies { requests_per_minute: None, burst: None },
        variables: Vec::new(),
        target: GatewayTarget { kind: GatewayKind::Builtin, address: "http://127.0.0.1:8080".to_owned() },
        cancels: None,
        actor: "ada".to_owned(),
        trace: "trace".to_owned(),
        ordered_at: NOW,
        deadline: Timestamp::constant(1_772_366_460, 0),
    }
}

/// The order that takes the same API off again.
pub(crate) fn removal(revision: i64) -> DeployOrder {
    DeployOrder {
        kind: OrderKind::Remove,
        generation: generation(revision),
        document: None,
        upstream: None,
        ..order()
    }
}
