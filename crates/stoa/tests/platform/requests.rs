//! Requests of other teams' programs, by topic.

use domain::id::derived_id;
use event_bus::signature::{Signed, SigningKey};
use events::{
    AuditOutcome, AuditRecord, DeployOperation, DeployOrder, DeployRequest, DeployResult, Event as _,
    Outcome, RequestOutcome, RequestOutcomeKind, headers,
};

use crate::{
    documents::{api, tenant},
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
    let id = derived_id(&["platform-tests", &request.request_id, &request.tenant]);
    let envelope = session.bus.envelope(id, request.clone());
    let mut record = session.bus.prepare(&envelope).await.unwrap();
    if let Some(key) = key {
        let (id, topic) = (id.to_string(), DeployRequest::TOPIC.name);
        let signed = Signed { id: &id, topic, tenant: &request.tenant, value: record.value() };
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
