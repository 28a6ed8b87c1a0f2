//! The journal on a compacted topic of the broker.

use super::journal::{Answer, Journal, JournalError, Kept};

/// The topic where Confluent's registry keeps its records too.
const TOPIC: &str = "_schemas";

/// A journal on the broker, for the registry of a platform.
#[derive(Debug)]
pub struct OnTopic(event_bus::Journal);

impl OnTopic {
    /// The journal on the broker of `settings`; the topic is made if it is missing.
    pub async fn open(settings: event_bus::Settings) -> Result<Self, event_bus::Error> {
        Ok(Self(event_bus::Journal::open(settings, "schema-registry", TOPIC).await?))
    }
}

fn failed(cause: event_bus::Error) -> JournalError {
    JournalError { place: format!("topic {TOPIC}"), cause: cause.into() }
}

impl Journal for OnTopic {
    fn read(&self) -> Answer<'_, Vec<Kept>> {
        Box::pin(async { self.0.read().await.map_err(failed) })
    }

    fn append(&self, key: Vec<u8>, value: Vec<u8>) -> Answer<'_, ()> {
        Box::pin(async move { self.0.append(&key, &value).await.map_err(failed) })
    }
}
