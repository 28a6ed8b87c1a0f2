//! One step: what happened between two commits, written to the topics and to the store.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    entity::EntityPath,
    id::{CommitId, Generation, derived_id},
    name::TenantName,
};
use events::{
    AuditOutcome, AuditRecord, CatalogHeads, Change, Document, Event, Notification, OrderKind, TopicHead,
};
use gitops::{
    DocumentError, Effective, Severity,
    effective::{Declared, EntityChange, Followed, RowChange, changes, touched_deployments},
};
use jiff::Timestamp;
use tracing::{info, instrument};

use super::{
    Relay, RelayError, State,
    catalog::{CatalogRecord, Origin, TOPICS},
    changes::{ChangeEvent, Difference},
    orders::{Cause, Issue, Move, Spot, moves, remember},
    publish::Publisher,
    report::{Provenance, Report, trace_id},
    wanted::{self, Deployments, media_type_of},
};
use crate::{
    group::group_of,
    store::{FileRow, Ordered, Step, StepKind},
};

/// The actor of a commit whose author nobody can prove.
const UNVERIFIED: &str = "unverified";

/// What a step is about, fixed when it begins.
pub(super) struct Work<'a> {
    step: &'a Step,
    generation: Generation,
    now: Timestamp,
    /// The commits told one by one, with where each came from.
    told: Vec<(Provenance, &'a [EntityChange], &'a [DocumentError])>,
}

impl Work<'_> {
    /// Where the newest of the commits came from.
    fn last(&self) -> Provenance {
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
        self.write_catalog(&work, &state.effective, &followed.effective, &mut publisher).await?;
        let ordered = self.write_orders(&work, &followed.effective, &mut publisher, &mut report).await?;
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
        report.write(&parts.store, &mut tx).await?;
        parts.store.close_step(&mut tx, step.revision, &parts.holder, now).await?;
        tx.commit().await.map_err(crate::store::Error::from)?;

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

    /// Change events and audit records, commit by commit.
    async fn tell_changes(
        &self,
        work: &Work<'_>,
        publisher: &mut Publisher<'_>,
        report: &mut Report<'_>,
    ) -> Result<(), RelayError> {
        let bus = &self.parts.bus;
        for (cause, changes, _) in &work.told {
            for entity in *changes {
                let tenant = entity.path.tenant().cloned().unwrap_or_else(TenantName::platform);
                let trace = report.trace(&tenant, cause);
                let audit = self.audit(work, cause, entity, &tenant, &trace);
                let id =
                    self.id(work, &[cause.commit.as_str(), &entity.path.to_string(), verb(entity), "audit"]);
                publisher.push(AuditRecord::TOPIC.name, bus.prepare(&bus.envelope(id, audit)).await?).await?;
                let change = Change {
                    actor: cause.actor.clone(),
                    commit: cause.commit.clone(),
                    revision: work.step.revision,
                    trace,
                    at: cause.at,
                };
                let Some(event) = ChangeEvent::of(difference(entity), change) else { continue };
                let id = event.id(&self.parts.name, self.parts.epoch.0);
                report.changed(event.tenant_name(), cause, id, event.name(), event.json());
                publisher.push(event.topic(), event.prepare(bus, id).await?).await?;
            }
        }
        Ok(())
    }

    fn audit(
        &self,
        work: &Work<'_>,
        cause: &Provenance,
        entity: &EntityChange,
        tenant: &TenantName,
        trace: &str,
    ) -> AuditRecord {
        AuditRecord {
            tenant: tenant.to_string(),
            actor: cause.actor.clone(),
            action: format!("{}.{}", entity.path.kind().as_str().to_ascii_lowercase(), verb(entity)),
            entity: entity.path.to_string(),
            outcome: AuditOutcome::Success,
            reason: None,
            message: None,
            commit: Some(cause.commit.clone()),
            source: Some(self.parts.name.clone()),
            trace: Some(trace.to_owned()),
            at: work.now,
        }
    }

    /// What is wrong with files since this step.
    async fn tell_problems(
        &self,
        work: &Work<'_>,
        publisher: &mut Publisher<'_>,
        report: &mut Report<'_>,
    ) -> Result<(), RelayError> {
        let bus = &self.parts.bus;
        for (cause, _, problems) in &work.told {
            for problem in problems.iter().filter(|problem| problem.severity == Severity::Error) {
                let tenant = tenant_of(&problem.path);
                report.problem(&tenant, cause, &problem.path, &problem.to_string());
                let id =
                    self.id(work, &[cause.commit.as_str(), &problem.path, &problem.message, "notification"]);
                let notification = Notification {
                    tenant,
                    severity: events::Severity::Warning,
                    kind: "document-refused".to_owned(),
                    title: format!("`{}` is not in effect", problem.path),
                    body: format!(
                        "{problem}\n\nIts former content stays in effect. Commit {}.",
                        cause.commit
                    ),
                    entity: problem.path.clone(),
                    at: work.now,
                };
                let record = bus.prepare(&bus.envelope(id, notification)).await?;
                publisher.push(Notification::TOPIC.name, record).await?;
            }
        }
        Ok(())
    }

    /// Catalogue records of what differs; of everything in a republishing step.
    async fn write_catalog(
        &self,
        work: &Work<'_>,
        from: &Effective,
        to: &Effective,
        publisher: &mut Publisher<'_>,
    ) -> Result<(), RelayError> {
        let origin = Origin { revision: work.step.revision, commit: work.step.to.clone() };
        if work.step.kind == StepKind::Republished {
            self.republish_catalog(work, to, &origin, publisher).await?;
        }
        for change in changes(from, to) {
            match (change.before(), change.after()) {
                (_, Some(after)) => self.put(work, after, &origin, publisher).await?,
                (Some(before), None) => {
                    if let Some(record) = CatalogRecord::of(&before.entity, None, origin.clone()) {
                        publisher.push(record.topic().name, record.removal()).await?;
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
        origin: &Origin,
        publisher: &mut Publisher<'_>,
    ) -> Result<(), RelayError> {
        let difference = self.difference(to).await?;
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
        let topic = record.topic().name;
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

    /// Orders for the deployments that this step touches.
    async fn write_orders(
        &self,
        work: &Work<'_>,
        to: &Effective,
        publisher: &mut Publisher<'_>,
        report: &mut Report<'_>,
    ) -> Result<Vec<Ordered>, RelayError> {
        let parts = &self.parts;
        let causes = causes(work, to);
        let known = parts.store.ordered().await?.into_iter().map(|order| (Spot::of(&order), order));
        let mut known: BTreeMap<Spot, Ordered> = known.collect();
        let touched: BTreeSet<EntityPath> = match work.step.kind {
            StepKind::Republished => {
                to.of_kind(domain::entity::Kind::Deployment).map(|(path, _)| path.clone()).collect()
            }
            _ => causes.keys().cloned().collect(),
        };
        known.retain(|spot, _| touched.contains(&path_of(spot)));
        let (state, head, paths) = (to.clone(), work.step.to.clone(), touched.clone());
        let found =
            parts.repository.blocking(move |repository| wanted::of(&state, repository, &head, &paths));
        let Deployments { mut wanted, refused } = found.await?;
        let last = work.last();
        let cause_of = |path: &EntityPath| causes.get(path).unwrap_or(&last).clone();

        let kept = refused.iter().flat_map(wanted::Refused::spots).collect();
        for refused in &refused {
            let path = refused.path();
            let provenance = cause_of(&path);
            let group = self.group(work, &provenance, &path);
            report.refused(refused, group, &provenance);
        }
        let digests = wanted.iter().map(|(spot, wanted)| (spot.clone(), wanted.digest())).collect();
        let reassert = work.step.kind == StepKind::Republished;
        let mut written = Vec::new();
        let issue = Issue {
            repository: &parts.name,
            generation: work.generation,
            commit: &work.step.to,
            now: work.now,
            deadline: work.now + parts.settings.order_deadline,
        };
        let moves: Vec<(Spot, Move)> = if reassert && work.generation.epoch.0 > last_epoch(&known) {
            wanted.keys().map(|spot| (spot.clone(), Move::Apply)).collect()
        } else {
            moves(&digests, &known, &kept)
        };
        let cause_at = |spot: &Spot| {
            let path = path_of(spot);
            let provenance = cause_of(&path);
            let cause = Cause {
                group: self.group(work, &provenance, &path),
                actor: provenance.actor.clone(),
                trace: trace_id(&parts.name, work.generation, &spot.tenant),
            };
            (cause, provenance)
        };
        for (spot, movement) in moves {
            let (cause, provenance) = cause_at(&spot);
            let order = match movement {
                Move::Remove => known.get(&spot).map(|last| issue.remove(&spot, last, &cause)),
                Move::Apply => wanted.remove(&spot).map(|wanted| {
                    let kind = if reassert { OrderKind::Reassert } else { OrderKind::Apply };
                    issue.apply(&spot, &wanted, &cause, kind)
                }),
            };
            let Some(order) = order else { continue };
            report.ordered(&order, &provenance);
            written.push(remember(&order));
            let envelope = parts.bus.envelope(order.order_id, order);
            publisher.push(events::DeployOrder::TOPIC.name, parts.bus.prepare(&envelope).await?).await?;
        }
        // Who asked for a deployment is told that nothing had to be done.
        for (spot, same) in &wanted {
            let (cause, provenance) = cause_at(spot);
            if provenance.request.is_some() {
                report.unchanged(&issue.apply(spot, same, &cause, OrderKind::Apply), &provenance);
            }
        }
        Ok(written)
    }

    /// The next offset of each catalogue partition after what was written.
    async fn positions(&self, publisher: &Publisher<'_>) -> Result<BTreeMap<(String, i32), i64>, RelayError> {
        let mut positions = self.parts.store.catalog_positions().await?;
        for ((topic, partition), next) in publisher.written() {
            if TOPICS.iter().any(|catalog| catalog.name == topic) {
                positions.insert((topic.clone(), *partition), *next);
            }
        }
        Ok(positions)
    }

    /// The id of a record that follows from this step.
    fn id(&self, work: &Work<'_>, parts: &[&str]) -> uuid::Uuid {
        let (epoch, revision) = (work.generation.epoch.to_string(), work.generation.revision.to_string());
        let mut all = vec![self.parts.name.as_str(), &epoch, &revision];
        all.extend_from_slice(parts);
        derived_id(&all)
    }

    /// The group of the orders of a deployment.
    fn group(&self, work: &Work<'_>, cause: &Provenance, path: &EntityPath) -> uuid::Uuid {
        let EntityPath::Deployment { tenant, api, environment } = path else { return uuid::Uuid::nil() };
        let step = format!("{} {}", self.parts.name, work.generation);
        group_of(cause.request.as_deref().unwrap_or(&step), tenant, api, environment)
    }
}

/// The deployments that a step touches, each with the newest commit that does.
fn causes(work: &Work<'_>, to: &Effective) -> BTreeMap<EntityPath, Provenance> {
    let mut causes = BTreeMap::new();
    for (provenance, changes, _) in &work.told {
        for path in touched_deployments(changes, to) {
            causes.insert(path, provenance.clone());
        }
    }
    causes
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

fn difference(change: &EntityChange) -> Difference<'_> {
    let (before, after) = (change.before(), change.after());
    let document = |declared: &Declared| declared.openapi.as_ref().map(|openapi| openapi.origin.blob.clone());
    Difference {
        before: before.map(|declared| &*declared.entity),
        after: after.map(|declared| &*declared.entity),
        document: before.and_then(|it| document(it)) != after.and_then(|it| document(it)),
    }
}

fn verb(change: &EntityChange) -> &'static str {
    match (change.before(), change.after()) {
        (None, _) => "create",
        (_, None) => "delete",
        _ => "update",
    }
}

fn path_of(spot: &Spot) -> EntityPath {
    EntityPath::Deployment {
        tenant: spot.tenant.clone(),
        api: spot.api.clone(),
        environment: spot.environment.clone(),
    }
}

/// The tenant in whose folder a file stands; the platform, for all others.
fn tenant_of(path: &str) -> TenantName {
    let name = path.strip_prefix("tenants/").and_then(|rest| rest.split('/').next());
    name.and_then(|name| name.parse().ok()).unwrap_or_else(TenantName::platform)
}

fn last_epoch(known: &BTreeMap<Spot, Ordered>) -> i64 {
    known.values().map(|order| order.generation.epoch.0).max().unwrap_or_default()
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
            *live.entry(record.topic().name).or_default() += 1;
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
