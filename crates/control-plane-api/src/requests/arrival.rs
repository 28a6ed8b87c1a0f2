//! A request as it came: what the signature speaks for, and what it asks.

use domain::id::Digest;
use event_bus::{Delivery, signature::Signed};
use events::{Event, headers};

/// Texts of a request are repeated only up to here.
const LONGEST: usize = 200;

/// A record of a request topic.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    /// The header `ce_id`, exactly as it came.
    pub(super) id: String,
    /// The topic that it was written to; a replay comes by another one and keeps this.
    pub(super) topic: &'static str,
    /// The header `stoa-signature`.
    pub(super) signature: Option<String>,
    /// The bytes of the record.
    pub(super) value: Vec<u8>,
    /// Who is asked for, in the record's own words.
    pub(super) tenant: String,
    pub(super) request_id: String,
}

impl Arrival {
    /// What came by a delivery.
    pub(super) fn of<E: Event>(delivery: &Delivery, tenant: &str, request_id: &str) -> Self {
        Self {
            id: delivery.header(headers::ID).unwrap_or_default().to_owned(),
            topic: E::TOPIC.name,
            signature: delivery.header(headers::SIGNATURE).map(str::to_owned),
            value: delivery.value().to_vec(),
            tenant: tenant.to_owned(),
            request_id: request_id.to_owned(),
        }
    }

    /// What the signature has to speak for.
    pub(super) fn signed(&self) -> Signed<'_> {
        Signed { id: &self.id, topic: self.topic, tenant: &self.tenant, value: &self.value }
    }

    /// The digest of what came.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.value)
    }

    /// Whether the id can be kept, shown, and named by a commit.
    pub(super) fn has_plain_id(&self) -> bool {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
        (1..=128).contains(&self.request_id.len()) && self.request_id.bytes().all(plain)
    }
}

/// A sentence about a request, which may repeat what came: cut, and on one line.
pub(super) fn sentence(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(10 * LONGEST).collect()
}

/// A text of a request as answers repeat it.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}
