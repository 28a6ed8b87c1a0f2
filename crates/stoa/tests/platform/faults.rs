//! Services and the broker die at random moments while work goes on.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::entity::Kind;
use events::{
    CatalogApi, CatalogApplication, CatalogEnvironment, CatalogGateway, CatalogHeads, CatalogPlan,
    CatalogTenant, CatalogUsers, DeployOrder, DeployResult, Event,
};
use gitops::{
    Layout,
    layout::{Place, Slot},
};
use runtime::{Clock as _, SystemClock};
use tokio::time::sleep;

use crate::{
    documents::{self, Files, deployed, tenant},
    harness::Platform,
    keeper,
    session::Session,
    topics::{newest, records},
    waiting::{eventually, within},
};

const SERVICES: [&str; 3] = ["control-plane-api", "deployment-worker", "mcp-gateway"];
const APIS: usize = 8;
/// How long it may take until everything is as if nothing had happened.
const HEALING: Duration = Duration::from_mins(3);

/// Numbers that look random and come again with the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((bits ^ (bits >> 31)) % end as u64).unwrap()
    }

    async fn pause(&mut self, at_most: u64) {
        sleep(Duration::from_millis(self.below(usize::try_from(at_most).unwrap()) as u64)).await;
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Kill(&'static str),
    KillServices,
    KillBroker,
    /// With a new start by hand.
    KillEverything,
    /// One service sleeps past its session and wakes up again.
    Freeze(&'static str),
}

impl Fault {
    /// Each kind of fault, in a drawn order.
    fn plan(dice: &mut Dice) -> Vec<Self> {
        let mut plan: Vec<Self> =
            SERVICES.into_iter().flat_map(|name| [Self::Kill(name), Self::Freeze(name)]).collect();
        plan.extend([Self::KillServices, Self::KillBroker, Self::KillEverything, Self::Kill(SERVICES[1])]);
        for last in (1..plan.len()).rev() {
            plan.swap(last, dice.below(last + 1));
        }
        plan
    }

    async fn strike(self, platform: &Platform) {
        let pid = async |part: &str| eventually(&format!("{part} runs"), async || platform.pid(part)).await;
        match self {
            Self::Kill(name) => keeper::signal("KILL", pid(name).await),
            Self::KillServices => {
                for name in SERVICES {
                    keeper::signal("KILL", pid(name).await);
                }
            }
            Self::KillEverything => {
                platform.kill().await;
                platform.up().await;
            }
            Self::KillBroker => keeper::signal("KILL", pid("kafka").await),
            Self::Freeze(name) => {
                let pid = pid(name).await;
                keeper::signal("STOP", pid);
                // Twice the session, so that the broker has given its partitions away.
                sleep(Duration::from_secs(3)).await;
                keeper::signal("CONT", pid);
            }
        }
    }
}

/// What Git wants of one API: the part of the backend that it is served from, if it runs.
type Wanted = BTreeMap<String, Option<String>>;

/// One change of one API: other content, or off and on.
fn change(dice: &mut Dice, wanted: &mut Wanted, number: usize) -> Files {
    let name = format!("api-{}", dice.below(APIS));
    let runs = wanted[&name].is_some();
    if runs && dice.below(5) == 0 {
        wanted.insert(name.clone(), None);
        return Files::from([(documents::deployment("storm", &name).0, None)]);
    }
    let base = format!("gust-{number}");
    wanted.insert(name.clone(), Some(base.clone()));
    deployed("storm", &name, &base)
}

#[tokio::test]
async fn whatever_dies_every_order_ends_once_and_the_gateway_agrees_with_git() {
    let seed = variable("STOA_SEED").and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| SystemClock.now().as_millisecond().unsigned_abs());
    let changes = if variable("STOA_LONG").is_some() { 200 } else { 40 };
    println!("STOA_SEED={seed}, {changes} changes");
    let mut dice = Dice(seed);
    let Some(platform) = Platform::start("faults", &["--demo", "--separate"], Files::new()).await else {
        return;
    };
    let session = platform.session().await;
    let checkout = session.checkout();

    let mut wanted: Wanted = (0..APIS).map(|n| (format!("api-{n}"), Some("calm".to_owned()))).collect();
    let mut files: Files = wanted.keys().flat_map(|name| deployed("storm", name, "calm")).collect();
    files.extend([tenant("storm", "")]);
    checkout.publish(&files, "Calm");
    for name in wanted.keys() {
        session.served("storm", name, "calm").await;
    }

    let plan = Fault::plan(&mut dice);
    let mut storm_dice = Dice(seed ^ 2);
    let storm = async {
        for fault in &plan {
            storm_dice.pause(1500 * changes as u64 / 40).await;
            println!("{fault:?}");
            fault.strike(&platform).await;
        }
    };
    let mut work_dice = Dice(seed ^ 1);
    let work = async {
        for number in 0..changes {
            let files = change(&mut work_dice, &mut wanted, number);
            let (checkout, text) = (&checkout, format!("Gust {number}"));
            checkout.publish(&files, &text);
            work_dice.pause(500).await;
        }
    };
    tokio::join!(storm, work);

    // A new start may have moved ports.
    let session = platform.session().await;
    let head = checkout.head();
    within(HEALING, "the head is relayed", async || {
        let request = session.api("admin", reqwest::Method::GET, "/v1/tenants?limit=1").await;
        let request = request.header("stoa-wait-for", &head).header("prefer", "wait=5");
        (crate::session::try_answer(request).await?.status == 200).then_some(())
    })
    .await;
    for (name, base) in &wanted {
        match base {
            Some(base) => session.served("storm", name, base).await,
            None => session.gone("storm", name).await,
        }
    }
    every_order_ended_once(&session).await;
    the_catalogue_is_what_the_api_shows(&session).await;
    within(HEALING, "no deployment is left open", async || {
        let shown = session.list("admin", "/v1/tenants/storm/deployments").await;
        shown.iter().all(|it| it["completed_at"].is_string()).then_some(())
    })
    .await;
    platform.stop().await;
}

/// Every order has exactly one terminal record, as a reader of committed records sees it.
pub(crate) async fn every_order_ended_once(session: &Session) {
    within(HEALING, "every order has ended", async || {
        let orders: BTreeSet<_> =
            records::<DeployOrder>(&session.bus).await.iter().map(|it| it.event.order_id).collect();
        let mut ends = BTreeMap::new();
        for result in records::<DeployResult>(&session.bus).await {
            *ends.entry(result.event.order_id).or_insert(0) += 1;
        }
        assert!(ends.values().all(|count| *count == 1), "{ends:?}");
        assert!(ends.keys().all(|order| orders.contains(order)), "a result without an order");
        (ends.len() == orders.len()).then_some(())
    })
    .await;
}

/// Key by key; and `catalog-heads` counts the same.
pub(crate) async fn the_catalogue_is_what_the_api_shows(session: &Session) {
    let tenants = session.list("admin", "/v1/tenants").await;
    let shown: BTreeMap<String, String> = tenants
        .iter()
        .map(|it| (it["id"].as_str().unwrap().to_owned(), it["display_name"].as_str().unwrap().to_owned()))
        .collect();
    let told = newest::<CatalogTenant>(&session.bus).await;
    let told: BTreeMap<String, String> = told.into_iter().map(|(key, it)| (key, it.display_name)).collect();
    assert_eq!(told, shown);

    let mut shown = BTreeMap::new();
    for tenant in told.keys() {
        for api in session.list("admin", &format!("/v1/tenants/{tenant}/apis")).await {
            let text = |name: &str| api[name].as_str().unwrap().to_owned();
            shown.insert(
                format!("{tenant}/{}", text("name")),
                (text("uid"), text("version"), text("backend_url")),
            );
        }
    }
    let told = newest::<CatalogApi>(&session.bus).await;
    let apis = told.len();
    let told: BTreeMap<String, _> =
        told.into_iter().map(|(key, it)| (key, (it.uid.to_string(), it.version, it.backend_url))).collect();
    assert_eq!(told, shown);

    // Of every kind there are as many as Git declares, and as the heads say.
    let declared = declared(session);
    let heads = newest::<CatalogHeads>(&session.bus).await;
    let heads = heads.values().flat_map(|head| &head.topics);
    let live: BTreeMap<String, usize> =
        heads.map(|it| (it.topic.clone(), usize::try_from(it.live_keys).unwrap())).collect();
    let told = BTreeMap::from([
        (CatalogTenant::TOPIC.name.to_owned(), tenants.len()),
        (CatalogApi::TOPIC.name.to_owned(), apis),
        keys::<CatalogApplication>(session).await,
        keys::<CatalogUsers>(session).await,
        keys::<CatalogGateway>(session).await,
        keys::<CatalogEnvironment>(session).await,
        keys::<CatalogPlan>(session).await,
    ]);
    assert_eq!((&told, &live), (&declared, &declared));
}

async fn keys<E: Event>(session: &Session) -> (String, usize) {
    (E::TOPIC.name.to_owned(), newest::<E>(&session.bus).await.len())
}

/// How many entities the head of the repository declares for each catalogue topic.
fn declared(session: &Session) -> BTreeMap<String, usize> {
    let mut declared = BTreeMap::from(
        [
            CatalogTenant::TOPIC,
            CatalogApi::TOPIC,
            CatalogApplication::TOPIC,
            CatalogUsers::TOPIC,
            CatalogGateway::TOPIC,
            CatalogEnvironment::TOPIC,
            CatalogPlan::TOPIC,
        ]
        .map(|topic| (topic.name.to_owned(), 0)),
    );
    for path in session.checkout().git(&["ls-files"]).unwrap().lines() {
        let Ok(Some(Place { slot: Slot::Entity(entity), .. })) = Layout::place(path) else { continue };
        let topic = match entity.kind() {
            Kind::Tenant => CatalogTenant::TOPIC,
            Kind::Api => CatalogApi::TOPIC,
            Kind::Application => CatalogApplication::TOPIC,
            Kind::Users => CatalogUsers::TOPIC,
            Kind::Gateway => CatalogGateway::TOPIC,
            Kind::Defaults | Kind::Environment | Kind::TenantVariables => CatalogEnvironment::TOPIC,
            Kind::Plan => CatalogPlan::TOPIC,
            Kind::Deployment | Kind::PromotionRequest => continue,
        };
        *declared.entry(topic.name.to_owned()).or_default() += 1;
    }
    declared
}
