//! What stands in the outbox becomes orders, once, whoever writes them.

use std::collections::BTreeSet;

use domain::id::{Generation, Revision};
use events::{AuditRecord, CatalogHeads, DeployOrder, OrderKind};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Fixture, everything};
use crate::{
    group::group_of,
    relay::{publish::Publisher, report::Report, step::Work},
    store::{DeploymentRow, Step, StepKind, WantedSync},
};

fn wanted(request: &str, gateways: &[&str]) -> WantedSync {
    WantedSync {
        request: request.to_owned(),
        tenant: "acme".parse().unwrap(),
        api: "pets".parse().unwrap(),
        environment: "dev".parse().unwrap(),
        gateways: gateways.iter().map(|gateway| gateway.parse().unwrap()).collect(),
        actor: "grace".to_owned(),
        at: Timestamp::UNIX_EPOCH,
    }
}

fn group(sync: &WantedSync) -> Uuid {
    group_of(&sync.request, &sync.tenant, &sync.api, &sync.environment)
}

impl Fixture {
    async fn ask(&self, sync: &WantedSync) {
        let mut tx = self.store.begin().await.unwrap();
        self.store.add_sync(&mut tx, sync).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn deployment(&self, sync: &WantedSync) -> Vec<DeploymentRow> {
        self.store.deployment_group(&sync.tenant, group(sync)).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_in_the_outbox_is_ordered_once_whoever_writes_it() {
    let Some(fixture) = Fixture::new("relay-syncs").await else { return };
    let commit = fixture.commit(&everything(), "r-1");
    let relay = fixture.relay("one").await;
    relay.look().await.unwrap();

    // The same content, but an order of its own, with a deployment to look at.
    let (first, second) = (wanted("s-1", &[]), wanted("s-2", &["edge"]));
    fixture.ask(&first).await;
    relay.look().await.unwrap();
    let orders = fixture.records::<DeployOrder>().await;
    assert_eq!(orders.len(), 2);
    assert_eq!(
        (orders[1].kind, orders[1].group, orders[1].actor.as_str()),
        (OrderKind::Sync, group(&first), "grace")
    );
    assert_eq!((&orders[1].digest, &orders[1].document), (&orders[0].digest, &orders[0].document));
    assert_eq!((&orders[1].commit, orders[1].generation.revision), (&commit, Revision(2)));
    let deployment = fixture.deployment(&first).await;
    assert_eq!(
        (deployment.len(), deployment[0].status.as_str(), deployment[0].kind.as_str()),
        (1, "pending", "apply")
    );
    assert_eq!(fixture.store.ordered().await.unwrap()[0].order_id, orders[1].order_id);
    let heads = fixture.records::<CatalogHeads>().await;
    assert_eq!((heads[1].revision, &heads[1].commit), (Revision(2), &commit));
    let audits = fixture.records::<AuditRecord>().await;
    let audit = audits.iter().find(|audit| audit.action == "deployment.sync").unwrap();
    assert_eq!(
        (audit.actor.as_str(), audit.entity.as_str()),
        ("grace", "tenants/acme/apis/pets/deployments/dev")
    );
    relay.look().await.unwrap();
    assert_eq!(fixture.records::<DeployOrder>().await.len(), 2, "once");

    // A relay that wrote its orders and died: its successor writes the same ones and closes the step.
    fixture.ask(&second).await;
    let step = Step {
        revision: Revision(3),
        from: Some(commit.clone()),
        to: commit.clone(),
        kind: StepKind::Synced,
    };
    fixture.store.begin_step(&step, "one", Timestamp::UNIX_EPOCH).await.unwrap();
    let effective = relay.state.lock().await.effective.clone();
    let generation = Generation { epoch: relay.parts.epoch, revision: step.revision };
    let work = Work { step: &step, generation, now: Timestamp::UNIX_EPOCH, told: Vec::new() };
    let mut publisher = Publisher::new(&fixture.bus, &fixture.store, step.revision, "one");
    let mut report = Report::new("stoa-gitops", generation, step.kind.as_str(), work.now);
    relay.write_syncs(&work, &effective, &mut publisher, &mut report).await.unwrap();
    publisher.flush().await.unwrap();
    // What comes meanwhile waits for a step of its own.
    let third = wanted("s-3", &["edge"]);
    fixture.ask(&third).await;
    let successor = fixture.relay("two").await;
    successor.look().await.unwrap();
    let orders = fixture.records::<DeployOrder>().await;
    let told: Vec<_> = orders[2..].iter().map(|order| (order.group, order.generation.revision.0)).collect();
    assert_eq!(told, [(group(&second), 3), (group(&second), 3), (group(&third), 4)]);
    assert_eq!(orders[2].order_id, orders[3].order_id);
    assert_eq!(orders.iter().map(|order| order.order_id).collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(fixture.deployment(&second).await.len(), 1);
    assert!(!fixture.store.has_waiting_syncs().await.unwrap());

    what_is_gone_meanwhile_ends_with_its_reason(&fixture).await;
    a_step_that_was_open_when_the_broker_was_lost_is_no_hindrance(&fixture).await;
    fixture.end().await;
}

async fn what_is_gone_meanwhile_ends_with_its_reason(fixture: &Fixture) {
    let relay = fixture.relay("three").await;
    fixture.commit(&[("tenants/acme/apis/pets/deployments/dev.yaml", None)], "r-2");
    relay.look().await.unwrap();
    let late = wanted("s-4", &[]);
    fixture.ask(&late).await;
    relay.look().await.unwrap();
    let ended = fixture.deployment(&late).await;
    let ended: Vec<_> =
        ended.iter().map(|it| (it.gateway.as_str(), it.status.as_str(), it.reason.as_deref())).collect();
    assert_eq!(ended, [("edge", "failed", Some("not-deployed"))]);
}

async fn a_step_that_was_open_when_the_broker_was_lost_is_no_hindrance(fixture: &Fixture) {
    let last = fixture.store.last_step().await.unwrap().unwrap();
    let step = Step { revision: last.revision.next(), from: Some(last.to.clone()), ..last };
    fixture.store.begin_step(&step, "one", Timestamp::UNIX_EPOCH).await.unwrap();
    fixture.relay("four").await.reassert().await.unwrap();
    assert_eq!(fixture.store.open_step().await.unwrap(), None);
    assert_eq!(fixture.store.last_step().await.unwrap().unwrap().kind, StepKind::Republished);
}
