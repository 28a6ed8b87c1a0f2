//! Parts that are somebody else's.

use std::{net::TcpListener, sync::Arc};

use devstack::{
    Backbone,
    issuer::{Issuer, Key, People, Sessions, User},
};
use runtime::{Lifecycle, SystemClock, SystemRandom};

use crate::{
    documents::{Files, deployed, tenant},
    harness::{HERE, Platform},
};

#[tokio::test]
async fn broker_registry_repository_and_issuer_may_be_somebody_elses() {
    let home = tempfile::tempdir().unwrap();
    let Some(backbone) = Backbone::for_test("platform: parts elsewhere", home.path()).await else { return };
    let people = People::default()
        .with_user(User::of(&"stoa".parse().unwrap(), "admin", "Olga", "cpi-admin"))
        .with_user(User::of(&"faraway".parse().unwrap(), "frida", "Frida", "viewer"));
    let key = Key::read_or_make(&home.path().join("key.pem")).unwrap();
    let sessions = Sessions::open(&home.path().join("sessions.json")).unwrap();
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom::default()));
    let issuer = Issuer::new(key, Arc::new(people), sessions, clock, random);
    let issuer = issuer.serve(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    let address = issuer.base().clone();
    let served = Lifecycle::manual();
    let stopping = served.stopping();
    served.spawn("issuer", issuer.serve(async move { stopping.requested().await }));

    let (kafka, git) = (backbone.kafka().bootstrap_servers(), format!("{HERE}/repository.git"));
    let registry = backbone.registry().as_str();
    let options = ["--kafka", &kafka, "--registry", registry, "--git", &git, "--issuer", &address];
    let mut files: Files = deployed("faraway", "islands", "islands");
    files.extend([tenant("faraway", "")]);
    let Some(platform) = Platform::start("elsewhere", &options, files).await else { return };
    let connection = platform.connection();
    assert_eq!(connection.kafka, kafka);
    assert_eq!(connection.issuer.as_str().trim_end_matches('/'), address);
    assert_eq!((platform.pid("kafka"), connection.registry.as_str()), (None, registry));

    let session = platform.session().await;
    session.served("faraway", "islands", "islands").await;
    let own = session.get("frida", "/v1/tenants/faraway/apis/islands").await.expect(200);
    assert_eq!(own["name"], "islands", "{own}");
    // The issuer gives no token for a name alone as far as the command line knows.
    let refused = platform.stoa(&["get", "apis", "-t", "faraway"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("run `stoa login`"), "{told}");

    platform.stop().await;
    drop(platform);
    served.stopper().stop();
    served.outcome().await;
    backbone.stop().await;
}
