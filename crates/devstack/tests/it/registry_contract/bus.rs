//! The client that our services have.

use std::{collections::BTreeSet, sync::Arc};

use devstack::Backbone;
use event_bus::{Bus, Settings};
use events::{Event as _, GitopsNudge, NudgeReason, schemas, topics};
use uuid::Uuid;

use super::{Otherwise, asked::Registry};

async fn connect(backbone: &Backbone, registry: &Registry) -> Bus {
    let settings = Settings::local(&backbone.kafka().bootstrap_servers(), registry.base().clone());
    let clock = Arc::new(runtime::SystemClock);
    Bus::connect(settings, "test", clock, &runtime::Metrics::new("test")).await.unwrap()
}

pub(crate) async fn our_own_client_restores_writes_and_reads(backbone: &Backbone, registry: &Registry) {
    let bus = connect(backbone, registry).await;
    bus.registry().demand_full_transitive().await.unwrap();
    let moved = bus.registry().restore().await.unwrap();
    // Numbers of its own may happen to be ours.
    assert!(moved.is_empty() || registry.is(Otherwise::GivesItsOwnIds), "{moved:?}");
    assert_eq!(bus.registry().restore().await.unwrap(), moved, "what is known keeps its id");

    let known: BTreeSet<String> = bus.registry().subjects().await.unwrap().into_iter().collect();
    for topic in topics::ALL {
        assert!(known.contains(&topic.subject()), "{}", topic.name);
    }
    for version in schemas::ALL {
        let elsewhere = moved.iter().find(|(other, _)| *other == version).map(|(_, id)| *id);
        bus.registry().writer(elsewhere.unwrap_or(version.id)).await.unwrap();
    }

    // One process writes, another that knows nothing reads.
    bus.topics().apply(&[GitopsNudge::TOPIC]).await.unwrap();
    let nudge = GitopsNudge { repository: "r".to_owned(), reason: NudgeReason::Timer, commit: None };
    let written = bus.envelope(Uuid::nil(), nudge);
    let position = bus.producer().publish(&written).await.unwrap();
    let reader = connect(backbone, registry).await;
    let read = reader.read_at::<GitopsNudge>(position.partition, position.offset).await.unwrap();
    assert_eq!(*read, written);
}
