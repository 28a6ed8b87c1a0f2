//! What happened in a step, commit by commit: change events, audit records, notifications of refused files.

use domain::{
    id::{CommitId, derived_id},
    name::TenantName,
};
use events::{AuditOutcome, AuditRecord, Change, Event, Notification};
use gitops::{
    Severity,
    effective::{Declared, EntityChange},
};

use super::{
    Relay, RelayError,
    changes::{ChangeEvent, Difference},
    publish::Publisher,
    report::{Provenance, Report},
    step::Work,
};

impl Relay {
    /// Change events and audit records, commit by commit.
    pub(super) async fn tell_changes(
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

    /// A commit that removes more than it may without a person's word.
    pub(super) async fn tell_waiting(&self, commit: &CommitId, removed: usize) -> Result<(), RelayError> {
        let parts = &self.parts;
        let notification = Notification {
            tenant: TenantName::platform(),
            severity: events::Severity::Critical,
            kind: "removal-waits".to_owned(),
            title: format!("A commit removes {removed} entities and waits for approval"),
            body: format!(
                "Commit {commit} removes {removed} entities; more than {} need a person's word. It and later \
                 commits wait. `POST /v1/relay/approvals` with the commit lets it pass.",
                parts.settings.deletion_cap
            ),
            entity: parts.name.clone(),
            at: parts.clock.now(),
        };
        let id = derived_id(&[&parts.name, "removal-waits", commit.as_str()]);
        parts.bus.producer().publish(&parts.bus.envelope(id, notification)).await?;
        Ok(())
    }

    /// What is wrong with files since this step.
    pub(super) async fn tell_problems(
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

/// The tenant in whose folder a file stands; the platform, for all others.
fn tenant_of(path: &str) -> TenantName {
    let name = path.strip_prefix("tenants/").and_then(|rest| rest.split('/').next());
    name.and_then(|name| name.parse().ok()).unwrap_or_else(TenantName::platform)
}
