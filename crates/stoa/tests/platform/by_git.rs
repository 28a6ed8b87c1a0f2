//! From a push to a tool.

use std::collections::BTreeSet;

use events::{
    ApiCreated, ApiDeleted, ApiUpdated, CatalogHeads, DeployOrder, DeployResult, OrderKind, Outcome,
    TenantChange, TenantEvent,
};
use rmcp::model::CallToolRequestParams;
use serde_json::json;

use crate::{
    documents::{Files, deployed, openapi, tenant},
    harness::shared,
    session::Era,
    topics::{newest, records, those},
    waiting::eventually,
};

#[tokio::test]
async fn a_tenant_its_api_and_its_deployment_in_one_push_become_tools() {
    let Some(session) = shared().await else { return };
    let checkout = session.checkout();
    let mut files = deployed("orchard", "apples", "orchard");
    files.extend([tenant("orchard", "")]);
    let commit = checkout.publish(&files, "Open the orchard");
    session.served("orchard", "apples", "orchard").await;

    let results = eventually("the order ends", async || {
        let results = those::<DeployResult>(&session.bus, |it| it.tenant.as_str() == "orchard").await;
        (!results.is_empty()).then_some(results)
    })
    .await;
    let tenants = those::<TenantEvent>(&session.bus, |it| it.tenant.as_str() == "orchard").await;
    let apis = those::<ApiCreated>(&session.bus, |it| it.tenant.as_str() == "orchard").await;
    let orders = those::<DeployOrder>(&session.bus, |it| it.tenant.as_str() == "orchard").await;
    assert_eq!((tenants.len(), apis.len(), orders.len(), results.len()), (1, 1, 1, 1));

    let (tenant, api) = (&tenants[0].event, &apis[0].event);
    assert_eq!((tenant.kind, tenant.change.commit.as_str()), (TenantChange::Created, commit.as_str()));
    assert_eq!((api.api.as_str(), api.change.commit.as_str()), ("apples", commit.as_str()));
    assert_eq!(api.change.actor, "unverified");
    let (order, result) = (&orders[0].event, &results[0].event);
    assert_eq!(order.kind, OrderKind::Apply);
    // The step may have gone on to what others pushed at the same time.
    checkout.git(&["fetch", "--quiet"]).unwrap();
    checkout.git(&["merge-base", "--is-ancestor", &commit, order.commit.as_str()]).unwrap();
    assert_eq!(
        (result.order_id, result.outcome, &result.reason),
        (order.order_id, Outcome::Succeeded, &None)
    );
    assert_eq!((result.generation, &result.digest), (order.generation, &order.digest));
    // One step, told in the order of what stands on what.
    assert_eq!(
        (tenant.change.revision, api.change.revision),
        (order.generation.revision, tenant.change.revision)
    );
    let times = [tenants[0].time, apis[0].time, orders[0].time, results[0].time];
    assert!(times.is_sorted(), "{times:?}");
    let ids = BTreeSet::from([tenants[0].id, apis[0].id, orders[0].id, results[0].id]);
    assert_eq!(ids.len(), 4);
    let heads = newest::<CatalogHeads>(&session.bus).await;
    assert!(heads.values().all(|head| head.revision >= order.generation.revision), "{heads:?}");

    for era in [Era::Handshake, Era::Stateless] {
        let agent = session.agent("admin", era).await;
        let tools = agent.list_all_tools().await.unwrap();
        let ours: Vec<&str> =
            tools.iter().map(|tool| &*tool.name).filter(|name| name.starts_with("orchard--")).collect();
        assert_eq!(ours, ["orchard--apples--hello", "orchard--apples--write"], "{era:?}");
        let arguments = json!({ "name": "Eve" }).as_object().unwrap().clone();
        let call = CallToolRequestParams::new("orchard--apples--hello").with_arguments(arguments);
        let result = agent.call_tool(call).await.unwrap();
        assert_eq!(
            result.structured_content,
            Some(json!({ "method": "GET", "path": "/orchard/hello?name=Eve", "body": "" }))
        );
        agent.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn a_change_is_one_event_and_one_order_and_a_removal_takes_the_tools_away() {
    let Some(session) = shared().await else { return };
    let checkout = session.checkout();
    let mut files = deployed("meadow", "herbs", "meadow");
    files.extend([tenant("meadow", "")]);
    checkout.publish(&files, "Plant");
    session.served("meadow", "herbs", "meadow").await;

    let text = openapi().replace("operationId: write", "operationId: send");
    let changed = checkout.publish(
        &Files::from([("tenants/meadow/apis/herbs/openapi.yaml".to_owned(), Some(text))]),
        "Rename an operation",
    );
    eventually("the tool has its new name", async || {
        let tools = session.tools("admin", "meadow--").await;
        (tools == ["meadow--herbs--hello", "meadow--herbs--send"]).then_some(())
    })
    .await;
    let updates = those::<ApiUpdated>(&session.bus, |it| it.tenant.as_str() == "meadow").await;
    assert_eq!(updates.len(), 1);
    assert_eq!(updates[0].event.changed, ["document"]);
    assert_eq!(updates[0].event.change.commit.as_str(), changed);

    checkout.publish(&Files::from([("tenants/meadow/apis/herbs".to_owned(), None)]), "Mow");
    session.gone("meadow", "herbs").await;
    assert_eq!(session.tools("admin", "meadow--").await, Vec::<String>::new());
    let results = eventually("the removal ends", async || {
        let results = those::<DeployResult>(&session.bus, |it| it.tenant.as_str() == "meadow").await;
        (results.len() >= 3).then_some(results)
    })
    .await;
    let mut told: Vec<_> =
        results.iter().map(|it| (it.event.generation, it.event.kind, it.event.outcome)).collect();
    told.sort_unstable();
    let kinds: Vec<_> = told.into_iter().map(|(_, kind, outcome)| (kind, outcome)).collect();
    let done = |kind| (kind, Outcome::Succeeded);
    assert_eq!(kinds, [done(OrderKind::Apply), done(OrderKind::Apply), done(OrderKind::Remove)]);
    assert_eq!(those::<ApiDeleted>(&session.bus, |it| it.tenant.as_str() == "meadow").await.len(), 1);
}

#[tokio::test]
async fn the_demo_api_answers_with_the_token_of_the_command_line() {
    let Some(session) = shared().await else { return };
    let printed = crate::harness::stoa(&session.data, &["token", "--user", "ada"]);
    let token = String::from_utf8(printed.stdout).unwrap();
    let url = session.connection.gateway.join("/apis/demo/petstore/pets").unwrap();
    let answer = crate::session::answer(session.http.get(url).bearer_auth(token.trim())).await;
    assert!(!answer.expect(200)["items"].as_array().unwrap().is_empty());
    let results = records::<DeployResult>(&session.bus).await;
    assert!(results.iter().any(|it| it.event.tenant.as_str() == "demo"));
}
