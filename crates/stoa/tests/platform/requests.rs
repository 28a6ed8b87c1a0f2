//! Requests of other teams' programs, by topic.

use domain::id::derived_id;
use event_bus::signature::{Signed, SigningKey};
use events::{
    ApiRegistration, AuditOutcome, AuditRecord, Authentication, DeployOperation, DeployOrder, DeployRequest,
    DeployResult, Document, Event, OrderKind, Outcome, Policies, RequestOutcome, RequestOutcomeKind, headers,
};

use crate::{
    backend::BACKEND,
    documents::{api, openapi, tenant},
    harness::shared,
    session::Session,
    topics::those,
    waiting::eventually,
};

fn request(id: &str, tenant: &str, operation: DeployOperation) -> DeployRequest {
    DeployRequest {
        request_id: id.to_owned(),
        tenant: tenant.to_owned(),
        api: "ships".to_owned(),
        environment: "dev".to_owned(),
        operation,
        gateways: Vec::new(),
        pin: None,
        reason: None,
    }
}

/// Sends a request as a producer does, signed with `key` if there is one.
async fn send(session: &Session, request: &DeployRequest, key: Option<&SigningKey>) {
    send_any(session, request, &request.request_id, &request.tenant, key).await;
}

/// The same for a request of any topic.
async fn send_any<E: Event>(
    session: &Session,
    request: &E,
    id: &str,
    tenant: &str,
    key: Option<&SigningKey>,
) {
    let id = derived_id(&["platform-tests", id, tenant]);
    let envelope = session.bus.envelope(id, request.clone());
    let mut record = session.bus.prepare(&envelope).await.unwrap();
    if let Some(key) = key {
        let (id, topic) = (id.to_string(), E::TOPIC.name);
        let signed = Signed { id: &id, topic, tenant, value: record.value() };
        let signature = key.sign(&signed);
        record = record.with_header(headers::SIGNATURE, &signature);
    }
    session.bus.producer().send(&record).await.unwrap();
}

/// What became of a request, told `times` times.
async fn outcome(session: &Session, id: &str, times: usize) -> RequestOutcome {
    let told = eventually(&format!("request {id} ends"), async || {
        let told = those::<RequestOutcome>(&session.bus, |it| it.request_id == id).await;
        (told.len() >= times).then_some(told)
    })
    .await;
    told.last().unwrap().event.clone()
}

#[tokio::test]
async fn a_signed_request_is_accepted_and_what_is_not_proved_is_refused_and_audited() {
    let Some(session) = shared().await else { return };
    let key = SigningKey::generate("ci-2026").unwrap();
    let producers = format!(
        "  producers:\n    ci:\n      keyId: ci-2026\n      publicKey: {}\n      operations: [deploy, rollback]\n",
        key.public().encode()
    );
    let mut files = api("harbour", "ships", "ships");
    files.extend([tenant("harbour", &producers)]);
    let commit = session.checkout().publish(&files, "Open the harbour");
    session.reached(&commit).await;

    let wanted = request("deploy-1", "harbour", DeployOperation::Deploy);
    send(&session, &wanted, Some(&key)).await;
    let accepted = outcome(&session, "deploy-1", 1).await;
    assert_eq!((accepted.outcome, &accepted.reason), (RequestOutcomeKind::Accepted, &None), "{accepted:?}");
    session.served("harbour", "ships", "ships").await;
    let results = eventually("the result is told", async || {
        let results = those::<DeployResult>(&session.bus, |it| it.tenant.as_str() == "harbour").await;
        (!results.is_empty()).then_some(results)
    })
    .await;
    assert_eq!((results.len(), Some(results[0].event.group)), (1, accepted.group));
    assert_eq!(
        (results[0].event.outcome, &results[0].event.commit),
        (Outcome::Succeeded, accepted.commit.as_ref().unwrap())
    );
    let shown = session.get("admin", "/v1/tenants/harbour/requests/deploy-1").await.expect(200);
    assert_eq!(shown["outcome"], "accepted", "{shown}");

    // A repeat is answered as before, and nothing happens.
    send(&session, &wanted, Some(&key)).await;
    assert_eq!(outcome(&session, "deploy-1", 2).await, accepted);

    let forger = SigningKey::generate("ci-2026").unwrap();
    let stranger = SigningKey::generate("somebody").unwrap();
    let other = DeployRequest { reason: Some("other content".to_owned()), ..wanted.clone() };
    let told = async |request: DeployRequest, key: Option<&SigningKey>, times: usize| {
        send(&session, &request, key).await;
        let told = outcome(&session, &request.request_id, times).await;
        assert_eq!(told.outcome, RequestOutcomeKind::Refused, "{told:?}");
        assert_eq!(told.group, None);
        let reason = told.reason.clone().unwrap();
        let entity = format!("tenants/{}/requests/{}", request.tenant, request.request_id);
        eventually("the refusal is audited", async || {
            let audits = those::<AuditRecord>(&session.bus, |it| {
                it.entity == entity
                    && it.outcome == AuditOutcome::Refused
                    && it.reason.as_ref() == Some(&reason)
            });
            (!audits.await.is_empty()).then_some(())
        })
        .await;
        reason
    };
    let deploy = DeployOperation::Deploy;
    assert_eq!(told(request("unsigned-1", "harbour", deploy), None, 1).await, "unsigned");
    assert_eq!(told(request("forged-1", "harbour", deploy), Some(&forger), 1).await, "bad-signature");
    assert_eq!(told(request("stranger-1", "harbour", deploy), Some(&stranger), 1).await, "unknown-key");
    assert_eq!(told(other, Some(&key), 3).await, "id-reused");
    assert_eq!(told(request("acme-1", "acme", deploy), Some(&key), 1).await, "unknown-key");
    assert_eq!(told(request("nobody-1", "nobody", deploy), Some(&key), 1).await, "tenant-not-found");
    let undeploy = request("undeploy-1", "harbour", DeployOperation::Undeploy);
    assert_eq!(told(undeploy, Some(&key), 1).await, "operation-not-allowed");
    let missing = DeployRequest { api: "planes".to_owned(), ..request("planes-1", "harbour", deploy) };
    assert_eq!(told(missing, Some(&key), 1).await, "api-not-found");

    let orders = those::<DeployOrder>(&session.bus, |it| it.tenant.as_str() == "harbour").await;
    assert_eq!(orders.len(), 1);
    session.served("harbour", "ships", "ships").await;
}

/// An API that a producer registers, with its backend under `base`.
fn registration(id: &str, version: &str, base: &str) -> ApiRegistration {
    let document = Document::pack(openapi().as_bytes(), "application/yaml").unwrap();
    ApiRegistration {
        request_id: id.to_owned(),
        tenant: "airport".to_owned(),
        api: "flights".to_owned(),
        version: version.to_owned(),
        display_name: "Flights".to_owned(),
        description: String::new(),
        environment: "dev".to_owned(),
        gateways: Vec::new(),
        backend_url: format!("{}/{base}", *BACKEND),
        authentication: Authentication::Oauth2,
        policies: Policies { requests_per_minute: Some(600), burst: None },
        document_media_type: document.media_type,
        document: document.content,
    }
}

#[tokio::test]
async fn a_producer_registers_an_api_changes_it_goes_back_brings_it_again_and_takes_it_away() {
    let Some(session) = shared().await else { return };
    let key = SigningKey::generate("tower-1").unwrap();
    let producers = format!(
        "  producers:\n    tower:\n      keyId: tower-1\n      publicKey: {}\n      \
         operations: [register-api, rollback, sync, undeploy]\n",
        key.public().encode()
    );
    let commit = session.checkout().publish(&[tenant("airport", &producers)].into(), "Open the airport");
    session.reached(&commit).await;
    let accepted = async |id: &str| {
        let told = outcome(&session, id, 1).await;
        assert_eq!((told.outcome, &told.reason), (RequestOutcomeKind::Accepted, &None), "{told:?}");
        let results = eventually("the deployment ends", async || {
            let ended = those::<DeployResult>(&session.bus, |it| Some(it.group) == told.group).await;
            (!ended.is_empty()).then_some(ended)
        })
        .await;
        let ends: Vec<_> = results.iter().map(|it| (it.event.kind, it.event.outcome)).collect();
        (told, ends)
    };
    let done = |kind| vec![(kind, Outcome::Succeeded)];

    let first = registration("register-1", "1.0.0", "runway-1");
    send_any(&session, &first, "register-1", "airport", Some(&key)).await;
    let (first, ends) = accepted("register-1").await;
    assert_eq!(ends, done(OrderKind::Apply));
    session.served("airport", "flights", "runway-1").await;
    let shown = session.get("admin", "/v1/tenants/airport/apis/flights").await.expect(200);
    assert_eq!((&shown["version"], &shown["display_name"]), (&"1.0.0".into(), &"Flights".into()), "{shown}");

    let second = registration("register-2", "1.1.0", "runway-2");
    send_any(&session, &second, "register-2", "airport", Some(&key)).await;
    assert_eq!(accepted("register-2").await.1, done(OrderKind::Apply));
    session.served("airport", "flights", "runway-2").await;

    let wanted = |id: &str, operation| DeployRequest {
        api: "flights".to_owned(),
        ..request(id, "airport", operation)
    };
    send(&session, &wanted("back-1", DeployOperation::Rollback), Some(&key)).await;
    let (back, ends) = accepted("back-1").await;
    assert_eq!(ends, done(OrderKind::Apply));
    session.served("airport", "flights", "runway-1").await;
    let results = those::<DeployResult>(&session.bus, |it| Some(it.group) == back.group).await;
    assert_eq!(Some(&results[0].event.content_commit), first.commit.as_ref());

    send(&session, &wanted("again-1", DeployOperation::Sync), Some(&key)).await;
    assert_eq!(accepted("again-1").await.1, done(OrderKind::Sync));
    session.served("airport", "flights", "runway-1").await;

    send(&session, &wanted("away-1", DeployOperation::Undeploy), Some(&key)).await;
    assert_eq!(accepted("away-1").await.1, done(OrderKind::Remove));
    session.gone("airport", "flights").await;
}
