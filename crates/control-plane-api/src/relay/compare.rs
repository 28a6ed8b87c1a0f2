//! The catalogue topics against the effective state: what a stalled former relay left behind is written over.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    entity::EntityPath,
    id::{CommitId, Digest, Revision},
};
use event_bus::Outgoing;
use events::Document;
use gitops::{
    Effective,
    effective::{Declared, Followed},
    repository::Line,
};
use tracing::{info, warn};

use super::{
    Relay, RelayError, State,
    catalog::{CatalogRecord, Origin, TOPICS},
    wanted::media_type_of,
};
use crate::store::{Step, StepKind};

/// What the topics do not hold as they should.
#[derive(Clone, Debug, Default)]
pub(super) struct CatalogDifference {
    /// Entities whose record is missing or says something else.
    pub(super) missing: Vec<EntityPath>,
    /// Removals of keys that nothing stands behind.
    pub(super) surplus: Vec<(&'static str, Outgoing)>,
}

/// What happens in a step that leads nowhere else: nothing.
pub(super) fn stay(state: &State) -> Followed {
    Followed { line: Line::Same, steps: Vec::new(), effective: state.effective.clone() }
}

impl CatalogDifference {
    fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.surplus.is_empty()
    }
}

impl Relay {
    /// Compares once, on becoming the relay, and republishes in a step of its own if anything differs.
    pub(super) async fn compare(&self, state: &mut State) -> Result<(), RelayError> {
        let Some(commit) = state.effective.commit().cloned() else { return Ok(()) };
        let positions = self.parts.store.catalog_positions().await?;
        if !self.parts.mirror.passed(&positions).await {
            warn!(
                "The catalogue topics could not be read to where they were written; comparing what was read"
            );
        }
        let difference = self.difference(&state.effective).await?;
        if difference.is_empty() {
            return Ok(());
        }
        info!(
            missing = difference.missing.len(),
            surplus = difference.surplus.len(),
            "The catalogue topics differ from what is in effect: writing them again"
        );
        state.differs = Some(difference);
        self.republish(state, commit).await
    }

    /// Writes everything again on a broker that has nothing, with one order per live deployment.
    pub(crate) async fn reassert(&self) -> Result<(), RelayError> {
        let mut state = self.state.lock().await;
        self.finish_open(&mut state).await?;
        if let Some(commit) = state.effective.commit().cloned() {
            self.republish(&mut state, commit).await?;
        }
        state.compared = true;
        Ok(())
    }

    /// Writes what differs in the catalogue topics, and orders, in a step that leads nowhere else.
    async fn republish(&self, state: &mut State, commit: CommitId) -> Result<(), RelayError> {
        let step = Step {
            revision: state.revision.next(),
            from: Some(commit.clone()),
            to: commit,
            kind: StepKind::Republished,
        };
        self.parts.store.begin_step(&step, &self.parts.holder, self.parts.clock.now()).await?;
        let followed = stay(state);
        self.finish(state, &step, followed).await
    }

    /// What differs between the topics, as read back, and the effective state.
    pub(super) async fn difference(&self, effective: &Effective) -> Result<CatalogDifference, RelayError> {
        let mut difference = CatalogDifference::default();
        let mut wanted: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
        for (path, declared) in effective.entities() {
            let Some((topic, key, content)) = self.expected(declared).await? else { continue };
            if self.parts.mirror.digest(topic, &key).as_ref() != Some(&content) {
                difference.missing.push(path.clone());
            }
            wanted.entry(topic).or_default().insert(key);
        }
        for catalogue in &TOPICS {
            let topic = catalogue.topic.name;
            let wanted = wanted.remove(topic).unwrap_or_default();
            let surplus = self.parts.mirror.keys(topic).into_iter().filter(|key| !wanted.contains(key));
            difference.surplus.extend(surplus.map(|key| (topic, catalogue.removal(&key))));
        }
        Ok(difference)
    }

    /// Topic, key and content of the record that an entity should have.
    async fn expected(
        &self,
        declared: &Declared,
    ) -> Result<Option<(&'static str, String, Digest)>, RelayError> {
        let document = match &declared.openapi {
            None => None,
            Some(openapi) => {
                let (blob, media_type) = (openapi.origin.blob.clone(), media_type_of(&openapi.path));
                let text = self.parts.repository.blocking(move |repository| repository.read(&blob)).await?;
                // The digest of the text stands for it, so it need not be packed.
                Some(Document {
                    media_type: media_type.to_owned(),
                    digest: Digest::of(&text),
                    size: i64::try_from(text.len()).unwrap_or(i64::MAX),
                    content: Vec::new(),
                })
            }
        };
        let origin = Origin { revision: Revision::default(), commit: declared.origin.commit.clone() };
        let record = CatalogRecord::of(&declared.entity, document, origin);
        Ok(record.map(|record| (record.topic(), record.key(), record.content())))
    }
}
