//! The service as it is deployed: from its settings, on a real broker and registry.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use devstack::Backbone;
use event_bus::{Bus, Delivery, From, Handle};
use events::{AckOutcome, Document, Envelope, GatewayAck, GatewayInstance, InstanceState};
use mcp_gateway::{App, Settings};
use runtime::{Lifecycle, Metrics, Outcome, Source, SystemClock};
use tokio::time::{sleep, timeout};
use web::testing::Issuer;

use crate::world::{World, envelope};

/// Keeps what it is handed.
#[derive(Clone)]
struct Seen<E>(Arc<Mutex<Vec<E>>>);

impl<E> Default for Seen<E> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<E: events::Event> Handle<E> for Seen<E> {
    async fn handle(&self, envelope: &Envelope<E>, _: &Delivery) -> Result<(), domain::Failure> {
        self.0.lock().unwrap().push(envelope.event.clone());
        Ok(())
    }
}

impl<E: Clone> Seen<E> {
    /// The first record that `wanted` accepts, as soon as there is one.
    async fn first(&self, wanted: impl Fn(&E) -> bool) -> E {
        let found = async {
            loop {
                if let Some(found) = self.0.lock().unwrap().iter().find(|event| wanted(event)) {
                    return found.clone();
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(20), found).await.unwrap()
    }
}

async fn start(source: &Source) -> (Lifecycle, String) {
    let lifecycle = Lifecycle::manual();
    let app = App::build(Settings::load(source).unwrap(), &lifecycle).await.unwrap();
    let (address, readiness) = (app.address(), app.readiness());
    assert!(!readiness.is_ready());
    app.start(&lifecycle);
    timeout(Duration::from_secs(20), readiness.ready()).await.unwrap();
    (lifecycle, format!("http://{address}"))
}

async fn stop(lifecycle: Lifecycle) {
    lifecycle.stopper().stop();
    assert_eq!(lifecycle.outcome().await, Outcome::Clean);
}

#[actix_web::test]
async fn routes_come_from_their_topic_and_are_acknowledged_also_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let Some(backbone) = Backbone::for_test("mcp-gateway", data.path()).await else { return };
    let own = Lifecycle::manual();
    let clock = Arc::new(SystemClock);
    let bus = Bus::connect(backbone.settings(), "test", clock.clone(), &Metrics::new("test")).await.unwrap();
    bus.topics().apply(events::topics::ALL).await.unwrap();
    let (acks, beats) = (Seen::<GatewayAck>::default(), Seen::<GatewayInstance>::default());
    own.spawn("acks", bus.follow(From::Beginning, acks.clone(), own.stopping()));
    own.spawn("beats", bus.follow(From::Beginning, beats.clone(), own.stopping()));

    let issuer = Issuer::start(&own, clock);
    let world = World::new();
    let source = Source::given([
        ("kafka.bootstrap_servers", backbone.kafka().bootstrap_servers()),
        ("schema_registry.url", backbone.registry().to_string()),
        ("oidc.issuer", issuer.issuer().to_owned()),
        ("server.address", "127.0.0.1:0".to_owned()),
        ("gateway.replica", "first".to_owned()),
    ]);
    let token = issuer.person("mcp-gateway", "ada", "acme", &["viewer"]);
    let get = async |base: &str| {
        let request = world.client.get(format!("{base}/apis/acme/pets/pets")).bearer_auth(&token);
        let answer = request.send().await.unwrap();
        let generation =
            answer.headers().get("stoa-generation").map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), generation)
    };

    let (lifecycle, base) = start(&source).await;
    assert_eq!(get(&base).await, (404, None));
    let beat = beats.first(|beat| beat.replica == "first").await;
    assert_eq!((beat.environment.as_str(), beat.state), ("dev", InstanceState::Present));

    let producer = bus.producer();
    producer.publish(&envelope(world.route("acme", "pets", 1))).await.unwrap();
    let ack = acks.first(|ack| ack.generation.to_string() == "1.1").await;
    assert_eq!((ack.outcome, ack.replica.as_str()), (AckOutcome::Applied, "first"));
    assert_eq!(get(&base).await, (200, Some("1.1".to_owned())));

    let mut broken = world.route("acme", "pets", 2);
    broken.document = Document::pack(b"not a document", "application/yaml").unwrap();
    producer.publish(&envelope(broken)).await.unwrap();
    let ack = acks.first(|ack| ack.generation.to_string() == "1.2").await;
    assert_eq!(ack.outcome, AckOutcome::Refused);
    assert_eq!(get(&base).await, (200, Some("1.1".to_owned())));
    stop(lifecycle).await;
    beats.first(|beat| beat.state == InstanceState::Leaving).await;

    // The compacted topic keeps the newest record only, so it is the one to be whole again.
    producer.publish(&envelope(world.route("acme", "pets", 3))).await.unwrap();
    let (lifecycle, base) = start(&source.with("gateway.replica", "second")).await;
    assert_eq!(get(&base).await, (200, Some("1.3".to_owned())));
    let ack = acks.first(|ack| ack.replica == "second").await;
    assert_eq!((ack.outcome, ack.generation.to_string()), (AckOutcome::Applied, "1.3".to_owned()));
    producer.retire::<events::GatewayRoute>("acme/pets/dev").await.unwrap();
    let ack = acks.first(|ack| ack.outcome == AckOutcome::Removed).await;
    assert_eq!((ack.generation.to_string(), get(&base).await), ("1.3".to_owned(), (404, None)));
    stop(lifecycle).await;
    stop(own).await;
    backbone.stop().await;
}
