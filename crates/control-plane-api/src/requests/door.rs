//! What every request goes through, whatever it asks for.

use std::sync::Arc;

use domain::{
    Classify, Disposition, Failure,
    entity::{Operation, Producer, Tenant},
    id::{CommitId, derived_id},
    name::{ApiName, EnvironmentName, TenantName},
};
use event_bus::signature::{self, PublicKey};
use events::{AuditOutcome, AuditRecord, RequestOutcome, RequestOutcomeKind};
use runtime::Clock;
use tracing::info;
use uuid::Uuid;

use super::{
    arrival::{Arrival, sentence, shown},
    refused::Refused,
};
use crate::{
    announce::Announce,
    commands::{Actor, CommandError, Commands, Done, Origin},
    desired::DesiredState,
    group::group_of,
    metrics::{Metrics, Request},
    store::{self, RequestRow, Store, WantedSync},
};

/// What the consumers of request topics stand on; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub(crate) commands: Commands,
    pub(crate) desired: DesiredState,
    pub(crate) store: Store,
    pub(crate) announce: Arc<dyn Announce>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
}

/// What a request became.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    pub(super) commit: CommitId,
    /// The group of the orders that follow; none if there is nothing to do.
    pub(super) group: Option<Uuid>,
    /// What stands in the outbox from the moment at which the outcome does.
    pub(super) sync: Option<WantedSync>,
}

/// Why a request has not come to an end yet, or has come to a bad one.
pub(super) enum NotDone {
    Refused(Refused),
    Later(Failure),
}

impl<E: Into<Refused>> From<E> for NotDone {
    fn from(refused: E) -> Self {
        Self::Refused(refused.into())
    }
}

/// A command's refusal ends the request; every other failure is waited for.
pub(super) fn not_done(error: CommandError) -> NotDone {
    match error {
        CommandError::Refused(refusal) => NotDone::Refused(refusal.into()),
        later => NotDone::Later(later.into()),
    }
}

/// The desired state is not known yet, so nobody can be called unknown.
#[derive(Debug, thiserror::Error)]
#[error("the desired state is not known yet")]
struct NotReady;

impl Classify for NotReady {
    fn disposition(&self) -> Disposition {
        Disposition::Retry
    }
}

impl Door {
    /// Lets a request in if it may come in, and ends it with one outcome.
    ///
    /// `act` does what is asked for; repeated after a crash, it finds what it did before.
    pub(super) async fn take(
        &self,
        arrival: &Arrival,
        operation: Option<Operation>,
        act: impl AsyncFnOnce(&TenantName, Origin) -> Result<Accepted, NotDone>,
    ) -> Result<(), Failure> {
        let known = match self.known(arrival, operation)? {
            Ok(known) => known,
            // Anybody could have written it, so it must not take the id from the one whose it is.
            Err(refused) => return self.end(arrival, Err(refused), "unverified").await,
        };
        if !arrival.has_plain_id() {
            return self.end(arrival, Err(Refused::RequestId), &known.actor.name).await;
        }
        if let Some(before) = self.store.request(known.tenant.as_str(), &arrival.request_id).await? {
            if before.value_digest != arrival.digest().as_str() || before.topic != arrival.topic {
                return self.end(arrival, Err(Refused::IdReused), &known.actor.name).await;
            }
            return self.tell(arrival, &before, &known.actor.name).await;
        }
        let allowed = match known.operation {
            Ok(()) => {
                let request = format!("request/{}/{}", known.tenant, arrival.request_id);
                let origin = Origin { actor: known.actor.clone(), request, resumed: true };
                act(&known.tenant, origin).await
            }
            Err(refused) => Err(NotDone::Refused(refused)),
        };
        let mut result = match allowed {
            Ok(accepted) => Ok(accepted),
            Err(NotDone::Refused(refused)) => Err(refused),
            Err(NotDone::Later(failure)) => return Err(failure),
        };
        let sync = result.as_mut().ok().and_then(|accepted| accepted.sync.take());
        let row = self.row(arrival, result);
        let mut tx = self.store.begin().await?;
        self.store.add_request(&mut tx, &row).await?;
        if let Some(sync) = &sync {
            self.store.add_sync(&mut tx, sync).await?;
        }
        tx.commit().await.map_err(store::Error::from)?;
        if let Some(sync) = &sync {
            self.commands.nudge_for(sync);
        }
        self.tell(arrival, &row, &known.actor.name).await
    }

    /// What becomes of a request that wants something deployed: the group of the orders that follow, if any do.
    pub(super) async fn accepted(
        &self,
        origin: &Origin,
        done: Done,
        tenant: &TenantName,
        api: &ApiName,
        environment: &EnvironmentName,
    ) -> Result<Accepted, NotDone> {
        let again = self.commands.again(origin, &done, &self.store).await;
        let sync = again.map_err(|error| NotDone::Later(error.into()))?;
        let follows = done.changed || sync.is_some();
        let group = follows.then(|| group_of(&origin.request, tenant, api, environment));
        Ok(Accepted { commit: done.commit, group, sync })
    }

    /// Who asks, once that is proved.
    fn known(
        &self,
        arrival: &Arrival,
        operation: Option<Operation>,
    ) -> Result<Result<Known, Refused>, NotReady> {
        let state = self.desired.load();
        if state.commit().is_none() {
            return Err(NotReady);
        }
        let name: Option<TenantName> = arrival.tenant.parse().ok();
        let Some(tenant) = name.and_then(|name| state.tenant(&name)) else {
            return Ok(Err(Refused::TenantNotFound(arrival.tenant.clone())));
        };
        Ok(verify(tenant, arrival, operation))
    }

    fn row(&self, arrival: &Arrival, result: Result<Accepted, Refused>) -> RequestRow {
        let (outcome, accepted, refused) = match result {
            Ok(accepted) => ("accepted", Some(accepted), None),
            Err(refused) => ("refused", None, Some(refused)),
        };
        RequestRow {
            tenant: shown(&arrival.tenant),
            request_id: shown(&arrival.request_id),
            topic: arrival.topic.to_owned(),
            value_digest: arrival.digest().to_string(),
            outcome: outcome.to_owned(),
            reason: refused.as_ref().map(|refused| refused.reason().to_owned()),
            message: refused.as_ref().map(|refused| sentence(&refused.to_string())),
            commit: accepted.as_ref().map(|accepted| accepted.commit.to_string()),
            group: accepted.and_then(|accepted| accepted.group).map(|group| group.to_string()),
            at: self.clock.now(),
        }
    }

    /// Ends a request that leaves no trace in the store.
    async fn end(
        &self,
        arrival: &Arrival,
        result: Result<Accepted, Refused>,
        actor: &str,
    ) -> Result<(), Failure> {
        let row = self.row(arrival, result);
        self.tell(arrival, &row, actor).await
    }

    /// Writes what became of a request; told again, it has the same ids.
    async fn tell(&self, arrival: &Arrival, row: &RequestRow, actor: &str) -> Result<(), Failure> {
        let about = [row.topic.as_str(), &row.tenant, &row.request_id, &row.value_digest, &arrival.id];
        let id = |of: &str| derived_id(&[&[of], about.as_slice()].concat());
        let accepted = row.outcome == "accepted";
        info!(
            tenant = row.tenant,
            request = row.request_id,
            reason = row.reason,
            "Request `{}` is {}",
            row.request_id,
            row.outcome
        );
        if !accepted {
            let record = AuditRecord {
                tenant: row.tenant.clone(),
                actor: actor.to_owned(),
                action: format!("{}.request", row.topic),
                entity: format!("tenants/{}/requests/{}", row.tenant, row.request_id),
                outcome: AuditOutcome::Refused,
                reason: row.reason.clone(),
                message: row.message.clone(),
                commit: None,
                source: Some(row.topic.clone()),
                trace: None,
                at: row.at,
            };
            self.announce.audit(id("audit"), record).await?;
        }
        let outcome = RequestOutcome {
            request_id: row.request_id.clone(),
            topic: row.topic.clone(),
            tenant: row.tenant.clone(),
            outcome: if accepted { RequestOutcomeKind::Accepted } else { RequestOutcomeKind::Refused },
            reason: row.reason.clone(),
            message: row.message.clone(),
            commit: row.commit.as_deref().and_then(|commit| commit.parse().ok()),
            group: row.group.as_deref().and_then(|group| group.parse().ok()),
            at: row.at,
        };
        self.announce.outcome(id("outcome"), outcome).await?;
        let outcome = if accepted { "accepted" } else { "refused" };
        self.metrics.requests.get_or_create(&Request { topic: arrival.topic, outcome }).inc();
        Ok(())
    }
}

/// A request whose sender is known.
struct Known {
    tenant: TenantName,
    actor: Actor,
    /// Whether the producer may ask for that.
    operation: Result<(), Refused>,
}

fn verify(tenant: &Tenant, arrival: &Arrival, operation: Option<Operation>) -> Result<Known, Refused> {
    let keys = keys(tenant);
    let proved = signature::verify(&arrival.signed(), arrival.signature.as_deref(), &keys);
    let key = proved.map_err(Refused::Signature)?;
    let producer = tenant.producers.iter().find(|(_, producer)| producer.key_id == key.id);
    let Some((name, producer)) = producer else {
        return Err(Refused::Signature(signature::SignatureError::UnknownKey(key.id.clone())));
    };
    Ok(Known {
        tenant: tenant.name.clone(),
        actor: Actor::producer(&tenant.name, name),
        operation: may_ask(name, producer, operation),
    })
}

fn may_ask(name: &str, producer: &Producer, operation: Option<Operation>) -> Result<(), Refused> {
    let operation = operation.ok_or(Refused::UnknownOperation)?;
    if producer.operations.contains(&operation) {
        Ok(())
    } else {
        Err(Refused::Operation { producer: name.to_owned(), operation })
    }
}

/// The keys of a tenant's producers; one that is no key verifies nothing.
fn keys(tenant: &Tenant) -> Vec<PublicKey> {
    let producers = tenant.producers.values();
    producers
        .filter_map(|producer| PublicKey::parse(&producer.key_id, &producer.public_key.to_string()).ok())
        .collect()
}
