//! What a step leaves in the store for people: traces, timelines, streams, deployments.

use std::collections::BTreeMap;

use domain::{
    id::{CommitId, Generation, derived_id},
    name::TenantName,
};
use events::{DeployOrder, OrderKind};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::wanted::Refused;
use crate::store::{Error, NewDeployment, NewTrace, OrderEnd, StepKind, Store, TraceEntry, Tx};

/// The kinds of deployments, as the store and the API name them.
const APPLY: &str = "apply";
const REMOVE: &str = "remove";

/// Where a commit came from, as far as it can be proved.
#[derive(Clone, Debug)]
pub(crate) struct Provenance {
    pub(crate) commit: CommitId,
    /// The request that the commit answers, when its trailer proves that.
    pub(crate) request: Option<String>,
    /// The author of a commit of ours; `unverified` for others.
    pub(crate) actor: String,
    /// The first line of the message.
    pub(crate) subject: String,
    pub(crate) at: Timestamp,
}

/// The trace of a tenant in a step.
pub(crate) fn trace_id(repository: &str, generation: Generation, tenant: &TenantName) -> String {
    let (epoch, revision) = (generation.epoch.to_string(), generation.revision.to_string());
    derived_id(&["trace", repository, &epoch, &revision, tenant.as_str()]).to_string()
}

/// Everything that a step leaves for people.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    repository: &'a str,
    generation: Generation,
    kind: &'static str,
    now: Timestamp,
    tenants: BTreeMap<TenantName, Lines>,
}

/// What a step leaves for one tenant.
#[derive(Debug)]
struct Lines {
    trace: NewTrace,
    entries: Vec<TraceEntry>,
    stream: Vec<Shown>,
    deployments: Vec<NewDeployment>,
    ended: Vec<Ended>,
    failures: i64,
}

/// An order that ended before it was written.
#[derive(Debug)]
struct Ended {
    order_id: Uuid,
    status: &'static str,
    reason: &'static str,
    message: String,
}

/// An event for the stream.
#[derive(Debug)]
struct Shown {
    id: String,
    kind: &'static str,
    data: String,
}

impl<'a> Report<'a> {
    /// The report of a step of this kind, written at `now`.
    pub(crate) fn new(
        repository: &'a str,
        generation: Generation,
        kind: &'static str,
        now: Timestamp,
    ) -> Self {
        Self { repository, generation, kind, now, tenants: BTreeMap::new() }
    }

    /// The id of a tenant's trace; the trace is opened if it was not.
    pub(crate) fn trace(&mut self, tenant: &TenantName, cause: &Provenance) -> String {
        self.lines(tenant, cause).trace.id.clone()
    }

    /// A change of an entity.
    pub(crate) fn changed(
        &mut self,
        tenant: &TenantName,
        cause: &Provenance,
        id: Uuid,
        kind: &'static str,
        data: String,
    ) {
        self.lines(tenant, cause).stream.push(Shown { id: id.to_string(), kind, data });
    }

    /// A file that is not in effect, or stays although it was removed.
    pub(crate) fn problem(&mut self, tenant: &TenantName, cause: &Provenance, path: &str, message: &str) {
        let at = self.now;
        let (epoch, revision) = (self.generation.epoch.to_string(), self.generation.revision.to_string());
        let id = derived_id(&["problem", self.repository, &epoch, &revision, path, message]).to_string();
        let lines = self.lines(tenant, cause);
        lines.failures += 1;
        lines.entries.push(entry(&id, format!("validate {path}"), "failed", Some(message.to_owned()), at));
        let data = json!({ "path": path, "message": message, "commit": cause.commit });
        lines.stream.push(Shown { id, kind: "document-refused", data: data.to_string() });
    }

    /// An order that was written.
    pub(crate) fn ordered(&mut self, order: &DeployOrder, cause: &Provenance) {
        let at = self.now;
        let lines = self.lines(&order.tenant, cause);
        let verb = if order.kind == OrderKind::Remove { "remove" } else { "deploy" };
        let name = format!("order: {verb} {}/{} on {}", order.api, order.environment, order.gateway);
        let id = order.order_id.to_string();
        lines.entries.push(entry(&id, name, "success", None, at));
        let data = json!({
            "deployment": order.group, "order": order.order_id, "api": order.api,
            "environment": order.environment, "gateway": order.gateway, "operation": verb,
            "commit": order.commit, "trace": order.trace,
        });
        lines.stream.push(Shown { id, kind: "deployment-ordered", data: data.to_string() });
        lines.deployments.push(row(order));
    }

    /// An order that was asked for and need not be written: the gateway was told the same before.
    pub(crate) fn unchanged(&mut self, order: &DeployOrder, cause: &Provenance) {
        let at = self.now;
        let lines = self.lines(&order.tenant, cause);
        let name = format!("order: {}/{} on {} is as it was", order.api, order.environment, order.gateway);
        lines.entries.push(entry(&order.order_id.to_string(), name, "success", None, at));
        lines.deployments.push(row(order));
        lines.ended.push(Ended {
            order_id: order.order_id,
            status: "succeeded",
            reason: "unchanged",
            message: "the gateway was told the same before".to_owned(),
        });
    }

    /// A deployment that cannot be made.
    pub(crate) fn refused(&mut self, refused: &Refused, group: Uuid, cause: &Provenance) {
        let (at, generation) = (self.now, self.generation);
        let deployment = &refused.deployment;
        let trace = self.trace(&deployment.tenant, cause);
        let lines = self.lines(&deployment.tenant, cause);
        lines.failures += 1;
        let place = format!("{}/{}", deployment.api, deployment.environment);
        for spot in refused.spots() {
            let parts =
                ["refused", &group.to_string(), &spot.deployment(), spot.gateway.as_str()].map(str::to_owned);
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let order_id = derived_id(&parts);
            lines.deployments.push(NewDeployment {
                order_id,
                group,
                tenant: spot.tenant.to_string(),
                api: spot.api.to_string(),
                environment: spot.environment.to_string(),
                gateway: spot.gateway.to_string(),
                kind: APPLY.to_owned(),
                generation,
                commit: cause.commit.to_string(),
                content_commit: cause.commit.to_string(),
                version: String::new(),
                digest: String::new(),
                actor: cause.actor.clone(),
                trace: trace.clone(),
                ordered_at: at,
            });
            let (reason, message) = (refused.reason, refused.message.clone());
            lines.ended.push(Ended { order_id, status: "failed", reason, message });
        }
        let id = derived_id(&["refused", &group.to_string()]).to_string();
        lines.entries.push(entry(
            &id,
            format!("order: deploy {place}"),
            "failed",
            Some(refused.message.clone()),
            at,
        ));
        let data = json!({
            "deployment": group, "api": deployment.api, "environment": deployment.environment,
            "status": "failed", "reason": refused.reason, "message": refused.message,
        });
        lines.stream.push(Shown { id, kind: "deployment-finished", data: data.to_string() });
    }

    /// Writes everything, in the transaction that closes the step.
    pub(crate) async fn write(&self, store: &Store, tx: &mut Tx) -> Result<(), Error> {
        for (tenant, lines) in &self.tenants {
            store.open_trace(tx, &lines.trace).await?;
            for entry in &lines.entries {
                store.add_trace_entry(tx, &lines.trace.id, entry).await?;
            }
            for deployment in &lines.deployments {
                store.add_deployment(tx, deployment).await?;
            }
            for ended in &lines.ended {
                let end = OrderEnd {
                    order_id: ended.order_id,
                    status: ended.status,
                    reason: Some(ended.reason),
                    message: Some(&ended.message),
                    finished_at: self.now,
                };
                store.end_deployment(tx, &end).await?;
            }
            for shown in &lines.stream {
                store
                    .append_stream(tx, tenant.as_str(), &shown.id, shown.kind, &shown.data, self.now)
                    .await?;
            }
            let orders = lines.deployments.len() - lines.ended.len();
            let orders = i64::try_from(orders).unwrap_or(i64::MAX);
            store.expect_of_trace(tx, &lines.trace.id, orders, lines.failures, self.now).await?;
        }
        Ok(())
    }

    /// The tenants that the report is about.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = &TenantName> {
        self.tenants.keys()
    }

    fn lines(&mut self, tenant: &TenantName, cause: &Provenance) -> &mut Lines {
        let id = trace_id(self.repository, self.generation, tenant);
        let (revision, kind, now) = (self.generation.revision, self.kind, self.now);
        self.tenants.entry(tenant.clone()).or_insert_with(|| {
            let origin = if kind == StepKind::Synced.as_str() { "request" } else { "commit" };
            let committed = format!("{origin}: {}", cause.subject);
            let relayed = format!("relay: step {revision}, {kind}");
            Lines {
                entries: vec![
                    entry(
                        &format!("{id}.commit"),
                        committed,
                        "success",
                        Some(cause.commit.to_string()),
                        cause.at,
                    ),
                    entry(&format!("{id}.relay"), relayed, "success", None, now),
                ],
                trace: NewTrace {
                    id,
                    tenant: tenant.to_string(),
                    cause: if cause.request.is_some() { "request" } else { "push" },
                    actor: cause.actor.clone(),
                    commit: cause.commit.to_string(),
                    message: cause.subject.clone(),
                    revision: revision.0,
                    at: now,
                },
                stream: Vec::new(),
                deployments: Vec::new(),
                ended: Vec::new(),
                failures: 0,
            }
        })
    }
}

fn entry(id: &str, name: String, status: &str, detail: Option<String>, at: Timestamp) -> TraceEntry {
    TraceEntry { ce_id: id.to_owned(), name, status: status.to_owned(), detail, at }
}

fn row(order: &DeployOrder) -> NewDeployment {
    let kind = if order.kind == OrderKind::Remove { REMOVE } else { APPLY };
    NewDeployment {
        order_id: order.order_id,
        group: order.group,
        tenant: order.tenant.to_string(),
        api: order.api.to_string(),
        environment: order.environment.to_string(),
        gateway: order.gateway.to_string(),
        kind: kind.to_owned(),
        generation: order.generation,
        commit: order.commit.to_string(),
        content_commit: order.content_commit.to_string(),
        version: order.version.clone(),
        digest: order.digest.to_string(),
        actor: order.actor.clone(),
        trace: order.trace.clone(),
        ordered_at: order.ordered_at,
    }
}
