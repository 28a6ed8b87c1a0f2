//! The relay on a real broker, with a real repository and store.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use devstack::Backbone;
use domain::id::{CommitId, Epoch};
use event_bus::{Bus, Update};
use events::{
    ApiCreated, CatalogApi, CatalogHeads, DeployOrder, Event, Notification, OrderKind, TenantEvent,
};
use gitops::{Author, Files, Remote, Repository, Trailers, Writer, effective::changes};
use jiff::Timestamp;
use runtime::{Lifecycle, SystemClock};

use super::{Mirror, Parts, Relay};
use crate::{
    desired::DesiredState,
    metrics::{Metrics, Order, Step as Steps},
    settings::RelaySettings,
    store::{Step, StepKind, Store},
    wake::Wake,
};

mod beginning;
mod syncs;

const OPENAPI: &str = "openapi: 3.1.0\ninfo: {title: Pets, version: '1'}\npaths:\n  /pets:\n    get:\n      \
     operationId: listPets\n      responses: {'200': {description: ok}}\n";

/// Everything that a relay stands on, of one test.
struct Fixture {
    lifecycle: Lifecycle,
    backbone: Backbone,
    bus: Bus,
    store: Store,
    repository: Repository,
    writer: Writer,
    trailers: Trailers,
    dir: tempfile::TempDir,
}

impl Fixture {
    async fn new(test: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let backbone = Backbone::for_test(test, dir.path()).await?;
        let metrics = runtime::Metrics::new("test");
        let bus = Bus::connect(backbone.settings(), "test", Arc::new(SystemClock), &metrics).await.unwrap();
        bus.topics().apply(events::topics::ALL).await.unwrap();
        bus.registry().restore().await.unwrap();
        let remote = dir.path().join("remote.git");
        Repository::create_remote(&remote, "main").unwrap();
        let repository = mirror(&remote, &dir.path().join("mirror.git"));
        let trailers = Trailers::new(&vec![7_u8; 32].into());
        let url = format!("sqlite://{}?mode=rwc", dir.path().join("store.db").display());
        Some(Self {
            lifecycle: Lifecycle::manual(),
            backbone,
            bus,
            store: Store::open(&url).await.unwrap(),
            writer: Writer::new(repository.clone(), trailers.clone()),
            repository,
            trailers,
            dir,
        })
    }

    /// A relay of this process, as after a start.
    async fn relay(&self, holder: &str) -> Relay {
        let mirror = Mirror::default();
        mirror.start(&self.bus, &self.lifecycle.spawner(), &self.lifecycle.stopping());
        let parts = Parts {
            store: self.store.clone(),
            repository: self.repository.clone(),
            trailers: self.trailers.clone(),
            bus: self.bus.clone(),
            desired: DesiredState::new(self.repository.clone()),
            wake: Wake::default(),
            mirror,
            clock: Arc::new(SystemClock),
            settings: RelaySettings { order_deadline: std::time::Duration::from_mins(5), deletion_cap: 5 },
            epoch: Epoch(1),
            name: "stoa-gitops".to_owned(),
            holder: holder.to_owned(),
            metrics: Metrics::default(),
        };
        Relay::load(parts).await.unwrap()
    }

    fn commit(&self, files: &[(&str, Option<&str>)], request: &str) -> CommitId {
        self.commit_by(&self.writer, files, request)
    }

    fn commit_by(&self, writer: &Writer, files: &[(&str, Option<&str>)], request: &str) -> CommitId {
        let head = self.repository.fetch().unwrap();
        let files: Files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.map(|text| text.as_bytes().to_vec())))
            .collect();
        let author = Author {
            name: "ada".to_owned(),
            email: "ada@acme.test".to_owned(),
            at: Timestamp::from_second(1_764_000_000).unwrap(),
        };
        writer.commit(head.as_ref(), &files, &author, "Change something", request).unwrap()
    }

    /// Every record of a topic, partition by partition.
    async fn records<E: Event>(&self) -> Vec<E> {
        let mut records = Vec::new();
        for partition in 0..E::TOPIC.partitions {
            let mut take = |update: Update<E>, _| {
                if let Update::Put(envelope) = update {
                    records.push(envelope.event.clone());
                }
            };
            self.bus.read_partition::<E>(partition, None, &mut take).await.unwrap();
        }
        records
    }

    async fn end(self) {
        self.lifecycle.stopper().stop();
        self.lifecycle.outcome().await;
        self.backbone.stop().await;
        drop(self.dir);
    }
}

fn mirror(remote: &Path, folder: &Path) -> Repository {
    Repository::open_or_create(Remote::at(remote.display().to_string()), folder).unwrap()
}

/// An environment with a gateway, a tenant with an API, and its deployment.
fn everything() -> Vec<(&'static str, Option<&'static str>)> {
    vec![
        (
            "environments/dev/config.yaml",
            Some(
                "apiVersion: stoa.io/v1\nkind: Environment\nmetadata: {name: dev}\nspec: {variables: {LOG_LEVEL: DEBUG}}\n",
            ),
        ),
        (
            "environments/dev/gateways/edge.yaml",
            Some(
                "apiVersion: stoa.io/v1\nkind: Gateway\nmetadata: {name: edge, environment: dev}\nspec: {type: builtin, address: 'http://127.0.0.1:8080'}\n",
            ),
        ),
        (
            "tenants/acme/tenant.yaml",
            Some(
                "apiVersion: stoa.io/v1\nkind: Tenant\nmetadata: {name: acme, uid: 0198c0de-0000-7000-8000-000000000001}\nspec: {displayName: Acme, environments: [dev]}\n",
            ),
        ),
        (
            "tenants/acme/apis/pets/api.yaml",
            Some(
                "apiVersion: stoa.io/v1\nkind: API\nmetadata: {name: pets, tenant: acme, version: 1.0.0, uid: 0198c0de-0000-7000-8000-000000000002}\nspec: {displayName: Pets, backend: {url: 'http://127.0.0.1:8090'}}\n",
            ),
        ),
        ("tenants/acme/apis/pets/openapi.yaml", Some(OPENAPI)),
        (
            "tenants/acme/apis/pets/deployments/dev.yaml",
            Some(
                "apiVersion: stoa.io/v1\nkind: Deployment\nmetadata: {tenant: acme, api: pets, environment: dev}\nspec: {follow: head, gateways: [edge]}\n",
            ),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_is_told_once_whoever_finishes_it_and_changes_are_ordered_again() {
    let Some(fixture) = Fixture::new("relay").await else { return };
    let first = fixture.commit(&everything(), "r-1");
    let relay = fixture.relay("one").await;
    relay.look().await.unwrap();

    // A tenant, its API and its deployment in one commit.
    let orders = fixture.records::<DeployOrder>().await;
    let problems: Vec<String> =
        relay.state.lock().await.effective.problems().map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(orders.len(), 1);
    assert_eq!((orders[0].kind, &orders[0].commit), (OrderKind::Apply, &first));
    assert_eq!(orders[0].actor, "ada");
    assert_eq!(orders[0].document.as_ref().unwrap().unpack().unwrap(), OPENAPI.as_bytes());
    assert_eq!(fixture.records::<TenantEvent>().await.len(), 1);
    assert_eq!(fixture.records::<ApiCreated>().await[0].change.actor, "ada");
    let heads = fixture.records::<CatalogHeads>().await;
    let live: BTreeMap<&str, i64> =
        heads[0].topics.iter().map(|row| (row.topic.as_str(), row.live_keys)).collect();
    assert_eq!((live["catalog-apis"], live["catalog-tenants"], live["catalog-gateways"]), (1, 1, 1));

    let metrics = &relay.parts.metrics;
    assert_eq!(metrics.steps.get_or_create(&Steps { kind: "linear" }).get(), 1);
    assert_eq!(metrics.orders.get_or_create(&Order { kind: "apply" }).get(), 1);

    // Nothing new: nothing written.
    relay.look().await.unwrap();
    assert_eq!(fixture.records::<CatalogHeads>().await.len(), 1);

    // A relay that opened a step and died: its successor finishes it with the same ids.
    let second = fixture.commit(
        &[("tenants/acme/apis/pets/openapi.yaml", Some(&OPENAPI.replace("Pets", "All pets")))],
        "r-2",
    );
    fixture.repository.fetch().unwrap();
    let step = Step {
        revision: domain::id::Revision(2),
        from: Some(first.clone()),
        to: second.clone(),
        kind: StepKind::Linear,
    };
    fixture.store.begin_step(&step, "one", Timestamp::UNIX_EPOCH).await.unwrap();
    let followed = {
        let effective = relay.state.lock().await.effective.clone();
        relay.follow(&effective, &second).await.unwrap()
    };
    assert_eq!(changes(&relay.state.lock().await.effective, &followed.effective).len(), 1);
    let successor = fixture.relay("two").await;
    successor.look().await.unwrap();
    let stalled = relay.finish(&mut relay.state.lock().await.clone(), &step, followed).await;
    assert!(stalled.is_err(), "one that lost its hold writes nothing");
    let orders = fixture.records::<DeployOrder>().await;
    assert_eq!(orders.len(), 2);
    assert_eq!(orders[1].commit, second);
    assert!(orders[1].generation > orders[0].generation);
    let catalog = fixture.records::<CatalogApi>().await;
    let revisions: Vec<i64> = catalog.iter().map(|record| record.revision.0).collect();
    assert_eq!(revisions, [1, 2]);
    assert_eq!(fixture.store.last_step().await.unwrap(), Some(step));

    // A document that breaks stays as it was; the rest of the push takes effect.
    fixture.commit(
        &[
            ("tenants/acme/apis/pets/openapi.yaml", Some("openapi: 3.1.0\n  broken")),
            ("environments/dev/config.yaml", Some("apiVersion: stoa.io/v1\nkind: Environment\nmetadata: {name: dev}\nspec: {variables: {LOG_LEVEL: INFO}}\n")),
        ],
        "r-3",
    );
    successor.look().await.unwrap();
    let orders = fixture.records::<DeployOrder>().await;
    assert_eq!(orders.len(), 3, "the variable changed");
    assert_eq!(orders[2].document, orders[1].document);
    let traces = fixture.store.traces(Some(&"acme".parse().unwrap()), None, None, 10).await.unwrap();
    assert_eq!(traces.len(), 3);
    let timeline = fixture.store.trace_entries(&traces[0].id).await.unwrap();
    assert!(timeline.iter().any(|entry| entry.status == "failed" && entry.name.ends_with("openapi.yaml")));

    // The API goes: an order takes it off the gateway, the catalogue forgets it.
    fixture.commit(
        &[
            ("tenants/acme/apis/pets/openapi.yaml", None),
            ("tenants/acme/apis/pets/api.yaml", None),
            ("tenants/acme/apis/pets/deployments/dev.yaml", None),
        ],
        "r-4",
    );
    successor.look().await.unwrap();
    let orders = fixture.records::<DeployOrder>().await;
    assert_eq!(orders.last().unwrap().kind, OrderKind::Remove);
    assert_eq!(orders.len(), 4);

    a_commit_that_removes_much_waits_for_a_person(&fixture, &successor).await;
    fixture.end().await;
}

async fn a_commit_that_removes_much_waits_for_a_person(fixture: &Fixture, relay: &Relay) {
    let mut more = everything();
    more.truncate(3);
    let names = ["aa", "bb", "cc", "dd"];
    let texts: Vec<(String, String)> = names
        .iter()
        .map(|name| {
            let text = more[2].1.unwrap().replace("acme", name).replace("0001", &format!("00{name}"));
            (format!("tenants/{name}/tenant.yaml"), text)
        })
        .collect();
    let files: Vec<(&str, Option<&str>)> =
        texts.iter().map(|(path, text)| (path.as_str(), Some(text.as_str()))).collect();
    fixture.commit(&files, "r-5");
    relay.look().await.unwrap();
    let empty: Vec<(&str, Option<&str>)> = texts
        .iter()
        .map(|(path, _)| path.as_str())
        .chain(more.iter().map(|(path, _)| *path))
        .map(|path| (path, None))
        .collect();
    let emptying = fixture.commit(&empty, "r-6");
    relay.look().await.unwrap();
    assert_ne!(fixture.store.last_step().await.unwrap().unwrap().to, emptying);
    relay.look().await.unwrap();
    let told = fixture.records::<Notification>().await;
    assert_eq!(told.iter().filter(|it| it.kind == "removal-waits").count(), 1, "people are told once");
    fixture.store.approve_removal(&emptying).await.unwrap();
    relay.look().await.unwrap();
    assert_eq!(fixture.store.last_step().await.unwrap().unwrap().to, emptying);
}
