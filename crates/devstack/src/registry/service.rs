//! The registry: its state and its journal.

use std::sync::Arc;

use tokio::sync::RwLock;

use super::{
    Error, Journal, JournalError,
    answer::Proposal,
    record::{Key, Value},
    subjects::{Registration, Subjects},
};

/// The registry of one platform.
#[derive(Debug)]
pub struct Registry {
    subjects: RwLock<Subjects>,
    journal: Arc<dyn Journal>,
}

impl Registry {
    /// Reads the journal to its end.
    pub async fn open(journal: Arc<dyn Journal>) -> Result<Self, JournalError> {
        let mut subjects = Subjects::default();
        let mut left_out = 0_u64;
        for (key, value) in journal.read().await? {
            // A kind of record that is not known here, such as Confluent's NOOP, says nothing about schemas.
            let Ok(key) = serde_json::from_slice(&key) else { continue };
            match value.map(|value| serde_json::from_slice(&value)).transpose() {
                Ok(value) => subjects.apply(key, value),
                // What cannot be read says nothing; above all, it removes nothing.
                Err(_) => left_out += 1,
            }
        }
        if left_out > 0 {
            tracing::warn!(left_out, "{left_out} records of the registry's journal cannot be read");
        }
        Ok(Self { subjects: RwLock::new(subjects), journal })
    }

    pub(super) async fn read<T>(&self, look: impl FnOnce(&Subjects) -> T) -> T {
        look(&*self.subjects.read().await)
    }

    pub(super) async fn register(&self, subject: &str, proposal: &Proposal) -> Result<i32, Error> {
        refuse_other_types(proposal)?;
        let known = self
            .read(|subjects| subjects.register(subject, &proposal.schema, proposal.id, proposal.version))
            .await?;
        if let Registration::Known { id } = known {
            return Ok(id);
        }
        // Decided again under the lock: somebody else may have registered meanwhile.
        let mut subjects = self.subjects.write().await;
        match subjects.register(subject, &proposal.schema, proposal.id, proposal.version)? {
            Registration::Known { id } => Ok(id),
            Registration::New { id, record: (key, value) } => {
                self.keep(&mut subjects, key, value).await?;
                Ok(id)
            }
        }
    }

    pub(super) async fn set(
        &self,
        key: Key,
        value: Value,
        allowed: impl FnOnce(&Subjects) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut subjects = self.subjects.write().await;
        allowed(&subjects)?;
        self.keep(&mut subjects, key, value).await
    }

    async fn keep(&self, subjects: &mut Subjects, key: Key, value: Value) -> Result<(), Error> {
        let bytes = |json: serde_json::Result<Vec<u8>>| {
            json.map_err(|cause| JournalError { place: "memory".to_owned(), cause: cause.into() })
        };
        let (key_bytes, value_bytes) = (bytes(serde_json::to_vec(&key))?, bytes(serde_json::to_vec(&value))?);
        self.journal.append(key_bytes, value_bytes).await?;
        subjects.apply(key, Some(value));
        Ok(())
    }
}

pub(super) fn refuse_other_types(proposal: &Proposal) -> Result<(), Error> {
    let refused = |reason: &str| Err(Error::InvalidSchema { reason: reason.to_owned() });
    match &proposal.schema_type {
        Some(kind) if kind != "AVRO" => refused(&format!("schema type {kind} is not known here, only AVRO")),
        _ if proposal.references.as_ref().is_some_and(|references| !references.is_empty()) => {
            refused("references to other subjects are not known here")
        }
        _ => Ok(()),
    }
}
