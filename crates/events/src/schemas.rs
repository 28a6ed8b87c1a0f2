//! Every version of every schema that `schemas/` holds, with the ids of `schemas/ids.lock`.
//!
//! The ids are fixed, so that a registry that was lost is restored with the ids that old records carry.

use crate::wire::SchemaId;

/// One version of a topic's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The topic.
    pub topic: &'static str,
    /// Counts the versions of the topic from 1.
    pub version: u32,
    /// The id under which every registry of the platform knows it.
    pub id: SchemaId,
    /// The schema.
    pub text: &'static str,
}

macro_rules! versions {
    ($(($topic:literal, $version:literal, $id:literal)),+ $(,)?) => {
        /// Every version, by id.
        pub static ALL: &[Version] = &[$(Version {
            topic: $topic,
            version: $version,
            id: SchemaId($id),
            text: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/../../schemas/", $topic, "/", stringify!($version), ".avsc"
            )),
        }),+];
    };
}

// The rows of `schemas/ids.lock`; a test holds the two and the folder against each other.
versions![
    ("catalog-tenants", 1, 1),
    ("catalog-apis", 1, 2),
    ("catalog-applications", 1, 3),
    ("catalog-users", 1, 4),
    ("catalog-gateways", 1, 5),
    ("catalog-environments", 1, 6),
    ("catalog-plans", 1, 7),
    ("catalog-heads", 1, 8),
    ("api-created", 1, 9),
    ("api-updated", 1, 10),
    ("api-deleted", 1, 11),
    ("tenant-events", 1, 12),
    ("application-events", 1, 13),
    ("gitops-nudges", 1, 14),
    ("deploy-requests", 1, 15),
    ("api-registration", 1, 16),
    ("request-outcomes", 1, 17),
    ("deploy-orders", 1, 18),
    ("deployment-state", 1, 19),
    ("deployment-steps", 1, 20),
    ("deploy-results", 1, 21),
    ("gateway-routes", 1, 22),
    ("gateway-instances", 1, 23),
    ("gateway-acks", 1, 24),
    ("audit-log", 1, 25),
    ("notifications", 1, 26),
    ("deploy-requests", 2, 27),
    ("deploy-orders", 2, 28),
    ("deployment-state", 2, 29),
    ("deploy-results", 2, 30),
    ("deployment-steps", 2, 31),
];

/// The versions of `topic`, oldest first.
pub fn of(topic: &str) -> impl Iterator<Item = &'static Version> {
    ALL.iter().filter(move |version| version.topic == topic)
}

/// The newest version of `topic`.
#[must_use]
pub fn newest(topic: &str) -> Option<&'static Version> {
    of(topic).max_by_key(|version| version.version)
}
