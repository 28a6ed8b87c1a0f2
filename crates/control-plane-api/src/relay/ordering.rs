//! Orders for the deployments that a step touches, attributed to the commits that touch them.

use std::collections::{BTreeMap, BTreeSet};

use domain::{entity::EntityPath, name::TenantName};
use events::{DeployOrder, Event, OrderKind};
use gitops::{Effective, effective::touched_deployments};

use super::{
    Relay, RelayError,
    orders::{Cause, Issue, Move, Spot, moves, remember},
    publish::Publisher,
    report::{Provenance, Report, trace_id},
    step::Work,
    wanted::{self, Deployments},
};
use crate::{
    group::group_of,
    metrics,
    store::{Ordered, StepKind},
};

impl Relay {
    /// Orders for the deployments that this step touches.
    pub(super) async fn write_orders(
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
        let issue = self.issue(work);
        let moves: Vec<(Spot, Move)> = if reassert && work.generation.epoch.0 > last_epoch(&known) {
            wanted.keys().map(|spot| (spot.clone(), Move::Apply)).collect()
        } else {
            moves(&digests, &known, &kept)
        };
        let cause_at = |spot: &Spot| {
            let path = path_of(spot);
            let provenance = cause_of(&path);
            let cause = self.cause(work, &provenance, &path, &spot.tenant);
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
            written.push(self.write_order(order, &provenance, publisher, report).await?);
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

    /// Writes an order; what the store is to remember of it.
    pub(super) async fn write_order(
        &self,
        order: DeployOrder,
        provenance: &Provenance,
        publisher: &mut Publisher<'_>,
        report: &mut Report<'_>,
    ) -> Result<Ordered, RelayError> {
        let bus = &self.parts.bus;
        report.ordered(&order, provenance);
        self.parts.metrics.orders.get_or_create(&metrics::Order { kind: word(order.kind) }).inc();
        let remembered = remember(&order);
        let envelope = bus.envelope(order.order_id, order);
        publisher.push(DeployOrder::TOPIC.name, bus.prepare(&envelope).await?).await?;
        Ok(remembered)
    }

    /// What all orders of a step have in common.
    pub(super) fn issue<'a>(&'a self, work: &Work<'a>) -> Issue<'a> {
        Issue {
            repository: &self.parts.name,
            generation: work.generation,
            commit: &work.step.to,
            now: work.now,
            deadline: work.now + self.parts.settings.order_deadline,
        }
    }

    /// Why the orders of a deployment are written.
    pub(super) fn cause(
        &self,
        work: &Work<'_>,
        provenance: &Provenance,
        path: &EntityPath,
        tenant: &TenantName,
    ) -> Cause {
        Cause {
            group: self.group(work, provenance, path),
            actor: provenance.actor.clone(),
            trace: trace_id(&self.parts.name, work.generation, tenant),
        }
    }

    /// The group of the orders of a deployment.
    pub(super) fn group(&self, work: &Work<'_>, cause: &Provenance, path: &EntityPath) -> uuid::Uuid {
        let EntityPath::Deployment { tenant, api, environment } = path else { return uuid::Uuid::nil() };
        let step = format!("{} {}", self.parts.name, work.generation);
        group_of(cause.request.as_deref().unwrap_or(&step), tenant, api, environment)
    }
}

/// What an order wants, in a word.
fn word(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Apply => "apply",
        OrderKind::Remove => "remove",
        OrderKind::Cancel => "cancel",
        OrderKind::Reassert => "reassert",
        OrderKind::Sync => "sync",
        OrderKind::Unknown => "unknown",
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

pub(super) fn path_of(spot: &Spot) -> EntityPath {
    EntityPath::Deployment {
        tenant: spot.tenant.clone(),
        api: spot.api.clone(),
        environment: spot.environment.clone(),
    }
}

fn last_epoch(known: &BTreeMap<Spot, Ordered>) -> i64 {
    known.values().map(|order| order.generation.epoch.0).max().unwrap_or_default()
}
