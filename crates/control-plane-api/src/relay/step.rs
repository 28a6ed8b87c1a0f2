//! One step: what happened between two commits, written to the topics and to the store.

use std::collections::BTreeMap;

use domain::id::{CommitId, Generation, derived_id};
use events::{CatalogHeads, Document, Event, TopicHead};
use gitops::{
    DocumentError, Effective,
    effective::{Declared, EntityChange, Followed, RowChange, changes},
};
use jiff::Timestamp;
use tracing::{info, instrument};

use super::{
    Relay, RelayError, State,
    catalog::{CatalogRecord, Origin, TOPICS},
    compare::CatalogDifference,
    publish::Publisher,
    report::{Provenance, Report},
    wanted::media_type_of,
};
use crate::store::{FileRow, Step, StepKind};

/// The actor of a commit whose author nobody can prove.
const UNVERIFIED: &str = "unverified";

/// What a step is about, fixed when it begins.
pub(super) struct Work<'a> {
    pub(super) step: &'a Step,
    pub(super) generation: Generation,
    pub(super) now: Timestamp,
    /// The commits told one by one, with where each came from.
    pub(super) told: Vec<(Provenance, &'a [EntityChange], &'a [DocumentError])>,
}

impl Work<'_> {
    /// Where the newest of the commits came from.
    pub(super) fn last(&self) -> Provenance {
        self.told.last().map_or_else(
            || Provenance {
                commit: self.step.to.clone(),
                request: None,
                actor: UNVERIFIED.to_owned(),
                subject: self.step.kind.as_str().to_owned(),
                at: self.now,
            },
            |(provenance, ..)| provenance.clone(),
        )
    }
}

impl Relay {
    /// Writes what the open step says, and closes it.
    #[instrument(name = "relay.step", skip_all, fields(revision = step.revision.0, commit = %step.to))]
    pub(super) async fn finish(
        &self,
        state: &mut State,
        step: &Step,
        followed: Followed,
    ) -> Result<(), RelayError> {
        let parts = &self.parts;
        let now = parts.clock.now();
        parts.metrics.step_begins(now);
        let work = Work {
            step,
            generation: Generation { epoch: parts.epoch, revision: step.revision },
            now,
            told: followed
                .steps
                .iter()
                .map(|told| (provenance(told), told.changes.as_slice(), told.problems.as_slice()))
                .collect(),
        };
        let mut report = Report::new(&parts.name, work.generation, step.kind.as_str(), now);
        let mut publisher = Publisher::new(&parts.bus, &parts.store, step.revision, &parts.holder);

        self.tell_changes(&work, &mut publisher, &mut report).await?;
        self.tell_problems(&work, &mut publisher, &mut report).await?;
        let differs = state.differs.take();
        self.write_catalog(&work, &state.effective, &followed.effective, differs, &mut publisher).await?;
        let (to, at, told) = (&followed.effective, &mut publisher, &mut report);
        let ordered = match step.kind {
            StepKind::Synced => self.write_syncs(&work, to, at, told).await?,
            _ => self.write_orders(&work, to, at, told).await?,
        };
        publisher.flush().await?;

        let positions = self.positions(&publisher).await?;
        let heads = heads(&parts.name, &work, &followed.effective, &positions);
        let id =
            derived_id(&[&parts.name, &parts.epoch.to_string(), &step.revision.to_string(), "catalog-heads"]);
        let heads = parts.bus.prepare(&parts.bus.envelope(id, heads)).await?;
        publisher.push(CatalogHeads::TOPIC.name, heads).await?;
        publisher.flush().await?;

        let mut tx = parts.store.begin().await?;
        for change in followed.effective.row_changes(&state.effective) {
            match change {
                RowChange::Put(row) => {
                    let content =
                        serde_json::to_string(&*row).map_err(|error| RelayError::State(Box::new(error)))?;
                    let row = FileRow { path: row.path.to_string(), content };
                    parts.store.put_effective_file(&mut tx, &row).await?;
                }
                RowChange::Delete(path) => parts.store.remove_effective_file(&mut tx, &path).await?,
            }
        }
        for order in &ordered {
            parts.store.put_ordered(&mut tx, order).await?;
        }
        for ((topic, partition), next) in &positions {
            parts.store.set_catalog_position(&mut tx, topic, *partition, *next).await?;
        }
        if step.kind == StepKind::Synced {
            parts.store.remove_syncs(&mut tx, step.revision).await?;
        }
        report.write(&parts.store, &mut tx).await?;
        parts.store.close_step(&mut tx, step.revision, &parts.holder, now).await?;
        tx.commit().await.map_err(crate::store::Error::from)?;
        parts.metrics.step_ends(step.kind.as_str());

        let orders = ordered.len();
        info!(commits = work.told.len(), orders, kind = step.kind.as_str(), "Relayed {}", step.to);
        for tenant in report.tenants() {
            parts.wake.notify(tenant.as_str());
        }
        state.revision = step.revision;
        state.effective = followed.effective;
        self.show(state);
        Ok(())
    }

    /// Catalogue records of what differs; of everything in a republishing step.
    async fn write_catalog(
        &self,
        work: &Work<'_>,
        from: &Effective,
        to: &Effective,
        differs: Option<CatalogDifference>,
        publisher: &mut Publisher<'_>,
    ) -> Result<(), RelayError> {
        let origin = Origin { revision: work.step.revision, commit: work.step.to.clone() };
        if work.step.kind == StepKind::Republished {
            // One that a former relay left open is compared again.
            let differs = match differs {
                Some(differs) => differs,
                None => self.difference(to).await?,
            };
            self.republish_catalog(work, to, differs, &origin, publisher).await?;
        }
        for change in changes(from, to) {
            match (change.before(), change.after()) {
                (_, Some(after)) => self.put(work, after, &origin, publisher).await?,
                (Some(before), None) => {
                    if let Some(record) = CatalogRecord::of(&before.entity, None, origin.clone()) {
                        let removal = record.catalogue().removal(&record.key());
                        publisher.push(record.topic(), removal).await?;
                    }
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// Writes what the topics do not hold as it should be, and removes what they hold beyond.
    async fn republish_catalog(
        &self,
        work: &Work<'_>,
        to: &Effective,
        difference: CatalogDifference,
        origin: &Origin,
        publisher: &mut Publisher<'_>,
    ) -> Result<(), RelayError> {
        for path in &difference.missing {
            if let Some(declared) = to.get(path) {
                self.put(work, declared, origin, publisher).await?;
            }
        }
        for removal in difference.surplus {
            publisher.push(removal.0, removal.1).await?;
        }
        Ok(())
    }

    async fn put(
        &self,
        work: &Work<'_>,
        declared: &Declared,
        origin: &Origin,
        publisher: &mut Publisher<'_>,
    ) -> Result<(), RelayError> {
        let document = self.document(declared).await?;
        let Some(record) = CatalogRecord::of(&declared.entity, document, origin.clone()) else {
            return Ok(());
        };
        let topic = record.topic();
        let id = self.id(work, &[&record.key(), topic]);
        publisher.push(topic, record.prepare(&self.parts.bus, id).await?).await
    }

    /// The OpenAPI document of an API, packed.
    async fn document(&self, declared: &Declared) -> Result<Option<Document>, RelayError> {
        let Some(openapi) = &declared.openapi else { return Ok(None) };
        let (blob, media_type) = (openapi.origin.blob.clone(), media_type_of(&openapi.path));
        let packed = self.parts.repository.blocking(move |repository| {
            let text = repository.read(&blob)?;
            Ok::<_, gitops::repository::Error>(Document::pack(&text, media_type).ok())
        });
        // One too large was refused by the validator; the catalogue shows the API all the same.
        Ok(packed.await?)
    }

    /// The next offset of each catalogue partition after what was written.
    async fn positions(&self, publisher: &Publisher<'_>) -> Result<BTreeMap<(String, i32), i64>, RelayError> {
        let mut positions = self.parts.store.catalog_positions().await?;
        for ((topic, partition), next) in publisher.written() {
            if TOPICS.iter().any(|catalogue| catalogue.topic.name == topic) {
                positions.insert((topic.clone(), *partition), *next);
            }
        }
        Ok(positions)
    }

    /// The id of a record that follows from this step.
    pub(super) fn id(&self, work: &Work<'_>, parts: &[&str]) -> uuid::Uuid {
        let (epoch, revision) = (work.generation.epoch.to_string(), work.generation.revision.to_string());
        let mut all = vec![self.parts.name.as_str(), &epoch, &revision];
        all.extend_from_slice(parts);
        derived_id(&all)
    }
}

/// Where a commit came from: its author counts only when its trailer proves that the commit is ours.
fn provenance(told: &gitops::effective::Step) -> Provenance {
    let commit = &told.commit;
    let actor = if told.request.is_some() { commit.author_name.clone() } else { UNVERIFIED.to_owned() };
    let subject = commit.message.lines().next().unwrap_or_default();
    Provenance {
        commit: commit.id.clone(),
        request: told.request.clone(),
        actor,
        subject: subject.chars().take(200).collect(),
        at: commit.time,
    }
}

/// How far the catalogue is written, and how many keys of each topic are alive.
fn heads(
    repository: &str,
    work: &Work<'_>,
    effective: &Effective,
    positions: &BTreeMap<(String, i32), i64>,
) -> CatalogHeads {
    let origin = Origin { revision: work.step.revision, commit: work.step.to.clone() };
    let mut live: BTreeMap<&str, i64> = BTreeMap::new();
    for (_, declared) in effective.entities() {
        if let Some(record) = CatalogRecord::of(&declared.entity, None, origin.clone()) {
            *live.entry(record.topic()).or_default() += 1;
        }
    }
    let commit: CommitId = origin.commit;
    CatalogHeads {
        repository: repository.to_owned(),
        epoch: work.generation.epoch,
        revision: work.step.revision,
        commit,
        topics: TOPICS
            .iter()
            .map(|catalogue| catalogue.topic)
            .map(|topic| TopicHead {
                topic: topic.name.to_owned(),
                next_offsets: (0..topic.partitions)
                    .map(|partition| {
                        positions.get(&(topic.name.to_owned(), partition)).copied().unwrap_or_default()
                    })
                    .collect(),
                live_keys: live.get(topic.name).copied().unwrap_or_default(),
            })
            .collect(),
    }
}
