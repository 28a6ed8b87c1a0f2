//! Records that cannot be read.

use event_bus::{DeadLetter, Outgoing};
use events::{
    ApiRegistration, CatalogApi, CatalogPlan, CatalogTenant, DeployOrder, DeployRequest, DeployResult,
    DeploymentStep, Event, GatewayAck, GatewayInstance, GatewayRoute, GitopsNudge,
};

use crate::{
    documents::{deployed, tenant},
    harness::shared,
    session::Session,
    waiting::eventually,
};

const KEY: &str = "nobody/nothing/dev";

/// Writes bytes that are no record, and a record of a schema that nobody registered.
async fn spoil<E: Event>(session: &Session) {
    let garbage = b"this is no record".to_vec();
    let unknown = vec![0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3];
    for value in [garbage, unknown] {
        let record = Outgoing::removal::<E>(KEY).with_value(value);
        session.bus.producer().send(&record).await.unwrap();
    }
}

/// The dead letters that follow, as reason and bytes.
async fn letters(session: &Session, topic: &str, group: &str) -> Vec<DeadLetter> {
    eventually(&format!("dead letters of {group} from {topic}"), async || {
        let mut letters = session.bus.dead_letters(topic, group).list().await.ok()?;
        letters.retain(|letter| letter.key == KEY);
        (letters.len() >= 2).then_some(letters)
    })
    .await
}

#[tokio::test]
async fn records_that_cannot_be_read_are_set_aside_and_everything_goes_on() {
    let Some(session) = shared().await else { return };
    spoil::<DeployRequest>(&session).await;
    spoil::<ApiRegistration>(&session).await;
    spoil::<GitopsNudge>(&session).await;
    spoil::<DeployOrder>(&session).await;
    spoil::<DeploymentStep>(&session).await;
    spoil::<DeployResult>(&session).await;
    spoil::<GatewayRoute>(&session).await;
    spoil::<GatewayInstance>(&session).await;
    spoil::<GatewayAck>(&session).await;
    spoil::<CatalogTenant>(&session).await;
    spoil::<CatalogApi>(&session).await;
    spoil::<CatalogPlan>(&session).await;
    let (plane, worker, gateway) = ("control-plane-api", "deployment-worker", "mcp-gateway");
    // With a group, by a view, by following: whoever reads sets it aside.
    let readers = [
        ("deploy-requests", plane),
        ("api-registration", plane),
        ("gitops-nudges", "control-plane-relay"),
        ("deploy-orders", worker),
        ("deployment-steps", plane),
        ("deploy-results", plane),
        ("gateway-routes", gateway),
        ("gateway-routes", worker),
        ("gateway-instances", worker),
        ("gateway-acks", worker),
        ("catalog-tenants", gateway),
        ("catalog-tenants", plane),
        ("catalog-apis", gateway),
        ("catalog-apis", plane),
        ("catalog-plans", plane),
    ];
    for (topic, group) in readers {
        let letters = letters(&session, topic, group).await;
        let reasons: Vec<&str> = letters.iter().map(|letter| letter.reason.as_str()).collect();
        assert_eq!(reasons, ["undecodable", "unknown-schema"], "{topic}");
        assert_eq!(letters[0].value, b"this is no record");
        assert_eq!((letters[0].topic.as_str(), letters[1].value[1]), (topic, 0x7f));
        assert!(!letters[0].error.is_empty() && !letters[1].error.is_empty());
    }
    let listed = crate::harness::stoa(&session.data, &["dlq", "list", "--topic", "deploy-orders"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("undecodable") && listed.contains("unknown-schema"), "{listed}");

    // Given to its group again, it is no better; the group's own topic brought it, nobody else saw it.
    let replay = ["dlq", "replay", "deploy-orders.deployment-worker.dlq", "0"];
    let replayed = crate::harness::stoa(&session.data, &replay);
    assert!(replayed.status.success(), "{replayed:?}");
    let again = eventually("the record is set aside again", async || {
        let mut letters = session.bus.dead_letters("deploy-orders", "deployment-worker").list().await.ok()?;
        letters.retain(|letter| letter.topic == "deploy-orders.deployment-worker.retry");
        letters.pop()
    })
    .await;
    assert_eq!((again.reason.as_str(), &again.value[..]), ("undecodable", &b"this is no record"[..]));

    // Enough APIs that every partition of every topic is used.
    let mut files: crate::documents::Files =
        (0..12).flat_map(|number| deployed(&format!("after-{number:02}"), "post", "after")).collect();
    files.extend((0..12).map(|number| tenant(&format!("after-{number:02}"), "")));
    session.checkout().publish(&files, "Go on");
    for number in 0..12 {
        let tenant = format!("after-{number:02}");
        session.served(&tenant, "post", "after").await;
        eventually("the result is taken in", async || {
            let deployments = session.list("admin", &format!("/v1/tenants/{tenant}/deployments")).await;
            (deployments.len() == 1 && deployments[0]["status"] == "succeeded").then_some(())
        })
        .await;
    }
}
