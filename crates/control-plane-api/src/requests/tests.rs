//! Requests as producers outside the platform send them.

use event_bus::signature::SigningKey;
use events::{
    ApiRegistration, Authentication, DeployOperation, DeployRequest, Document, Event, Policies,
    RequestOutcomeKind,
};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::{OnApiRegistration, OnDeployRequest, arrival::Arrival};
use crate::testing::{OPENAPI, Plane};

mod syncs;

const SEED: [u8; 32] = [7; 32];

fn key() -> SigningKey {
    SigningKey::from_seed("ci-2026", &SEED).unwrap()
}

/// A plane whose tenant `acme` knows the key of its producer, and has the API `pets`.
async fn plane() -> Plane {
    let public = key().public().encode().replace('+', "-").replace('/', "_");
    let public = public.trim_end_matches('=').to_owned();
    let plane = Plane::with_acme(Some(&public)).await;
    plane.declare("pets").await;
    plane
}

fn deploy(id: &str) -> DeployRequest {
    DeployRequest {
        request_id: id.to_owned(),
        tenant: "acme".to_owned(),
        api: "pets".to_owned(),
        environment: "staging".to_owned(),
        operation: DeployOperation::Deploy,
        gateways: Vec::new(),
        pin: None,
        reason: None,
    }
}

/// The record as it arrives, signed for what it says.
fn arrival<E: Event>(ce_id: &str, event: &E, tenant: &str, request_id: &str) -> Arrival {
    let mut arrival = Arrival {
        id: ce_id.to_owned(),
        topic: E::TOPIC.name,
        signature: None,
        value: serde_json::to_vec(event).unwrap(),
        tenant: tenant.to_owned(),
        request_id: request_id.to_owned(),
    };
    arrival.signature = Some(key().sign(&arrival.signed()));
    arrival
}

fn signed(request: &DeployRequest) -> Arrival {
    arrival(&format!("ce-{}", request.request_id), request, &request.tenant, &request.request_id)
}

async fn send(plane: &Plane, arrival: &Arrival, request: &DeployRequest) {
    assert!(OnDeployRequest(plane.door()).take(arrival, request).await.is_ok());
}

/// The last outcome, in short.
fn outcome(plane: &Plane) -> Value {
    let said = plane.announced.so_far();
    let (_, outcome) = said.outcomes.last().unwrap();
    let accepted = outcome.outcome == RequestOutcomeKind::Accepted;
    json!([outcome.request_id, accepted, outcome.reason, outcome.message])
}

#[actix_web::test]
async fn a_signed_request_is_a_commit_of_its_producer() {
    let plane = plane().await;
    send(&plane, &signed(&deploy("r1")), &deploy("r1")).await;
    let said = plane.announced.so_far();
    assert_json_snapshot!(said.outcomes[0].1, @r#"
    {
      "request_id": "r1",
      "topic": "deploy-requests",
      "tenant": "acme",
      "outcome": "accepted",
      "reason": null,
      "message": null,
      "commit": "73cf525d424b1caa019427e2aa2cb0242ccbc810",
      "group": "b8263f20-da26-5644-a33f-ad40d78074bc",
      "at": 1772366400000
    }
    "#);
    assert!(said.audits.is_empty(), "the audit of a commit is the relay's");
    assert_eq!(plane.messages()[0], "Deploy acme/pets to staging");
    let head = plane.state.repository.head().unwrap().unwrap();
    assert_eq!(plane.state.repository.commit_info(&head).unwrap().author_name, "producer:ci");
    let path = "/v1/tenants/acme/requests/r1";
    let shown = plane.member("viewer", actix_web::http::Method::GET, path).send().await;
    assert_json_snapshot!(shown.body(), @r#"
    {
      "id": "r1",
      "tenant_id": "acme",
      "topic": "deploy-requests",
      "outcome": "accepted",
      "reason": null,
      "message": null,
      "commit": "73cf525d424b1caa019427e2aa2cb0242ccbc810",
      "deployment_id": "b8263f20-da26-5644-a33f-ad40d78074bc",
      "at": "2026-03-01T12:00:00Z"
    }
    "#);
}

#[actix_web::test]
async fn a_repeat_has_the_outcome_of_the_first_and_no_second_effect() {
    let plane = plane().await;
    send(&plane, &signed(&deploy("r1")), &deploy("r1")).await;
    let commits = plane.messages().len();
    // Somebody undoes it; the repeat is still only a repeat.
    plane.push_text("tenants/acme/apis/pets/note.md", "x");
    send(&plane, &signed(&deploy("r1")), &deploy("r1")).await;
    let said = plane.announced.so_far();
    assert_eq!(said.outcomes[0], said.outcomes[1], "with the same id, so that readers drop it");
    assert_eq!(plane.messages().len(), commits + 1);
}

#[actix_web::test]
async fn a_crash_between_commit_and_store_makes_no_second_commit() {
    let plane = plane().await;
    send(&plane, &signed(&deploy("r1")), &deploy("r1")).await;
    let first = plane.announced.so_far().outcomes[0].1.clone();
    let mut tx = plane.state.store.begin().await.unwrap();
    sqlx::query("DELETE FROM requests").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    // Meanwhile somebody took it back, so a second commit could be made.
    let gone = plane.file("tenants/acme/apis/pets/deployments/staging.yaml").unwrap();
    plane.push_text("tenants/acme/apis/pets/deployments/staging.yaml", &gone.replace("deployed", "absent"));
    let commits = plane.messages().len();
    send(&plane, &signed(&deploy("r1")), &deploy("r1")).await;
    assert_eq!(plane.announced.so_far().outcomes[1].1, first);
    assert_eq!(plane.messages().len(), commits);
}

#[actix_web::test]
async fn what_is_not_proved_is_refused_audited_and_takes_no_id_away() {
    let plane = plane().await;
    let request = deploy("r1");
    let mut unsigned = signed(&request);
    unsigned.signature = None;
    let mut replayed = signed(&request);
    replayed.id = "another-id".to_owned();
    let mut changed = signed(&request);
    changed.value.push(b' ');
    let mut foreign = signed(&request);
    foreign.tenant = "stoa".to_owned();
    let mut nobody = signed(&request);
    nobody.tenant = "Nobody's".to_owned();
    let mut stranger = signed(&request);
    let other = SigningKey::from_seed("elsewhere", &[9; 32]).unwrap();
    stranger.signature = Some(other.sign(&stranger.signed()));
    let mut outcomes = Vec::new();
    for arrival in [unsigned, replayed, changed, foreign, nobody, stranger] {
        send(&plane, &arrival, &request).await;
        outcomes.push(outcome(&plane));
    }
    assert_json_snapshot!(outcomes, @r#"
    [
      [
        "r1",
        false,
        "unsigned",
        "the record is not signed"
      ],
      [
        "r1",
        false,
        "bad-signature",
        "the signature does not match the record"
      ],
      [
        "r1",
        false,
        "bad-signature",
        "the signature does not match the record"
      ],
      [
        "r1",
        false,
        "unknown-key",
        "no key `ci-2026` is known for this tenant"
      ],
      [
        "r1",
        false,
        "tenant-not-found",
        "there is no tenant `Nobody's`"
      ],
      [
        "r1",
        false,
        "unknown-key",
        "no key `elsewhere` is known for this tenant"
      ]
    ]
    "#);
    let said = plane.announced.so_far();
    assert_eq!(said.audits.len(), 6);
    assert_json_snapshot!(said.audits[0].1, @r#"
    {
      "tenant": "acme",
      "actor": "unverified",
      "action": "deploy-requests.request",
      "entity": "tenants/acme/requests/r1",
      "outcome": "refused",
      "reason": "unsigned",
      "message": "the record is not signed",
      "commit": null,
      "source": "deploy-requests",
      "trace": null,
      "at": 1772366400000
    }
    "#);
    let commits = plane.messages().len();
    send(&plane, &signed(&request), &request).await;
    assert_eq!((outcome(&plane)[1].clone(), plane.messages().len()), (json!(true), commits + 1));
}

#[actix_web::test]
async fn what_cannot_be_done_is_refused_with_its_reason() {
    let plane = plane().await;
    let requests = [
        DeployRequest { operation: DeployOperation::Undeploy, ..deploy("r1") },
        DeployRequest { operation: DeployOperation::Unknown, ..deploy("r2") },
        DeployRequest { api: "cats".to_owned(), ..deploy("r3") },
        DeployRequest { api: "../pets".to_owned(), ..deploy("r4") },
        DeployRequest { environment: "prod".to_owned(), ..deploy("r5") },
        DeployRequest { gateways: vec!["edge".to_owned()], ..deploy("r6") },
        DeployRequest { pin: Some("main".to_owned()), ..deploy("r7") },
        DeployRequest { operation: DeployOperation::Rollback, ..deploy("r8") },
        deploy("no spaces here"),
    ];
    let commits = plane.messages().len();
    let mut outcomes = Vec::new();
    for request in requests {
        send(&plane, &signed(&request), &request).await;
        outcomes.push(outcome(&plane));
    }
    assert_json_snapshot!(outcomes, @r#"
    [
      [
        "r1",
        false,
        "operation-not-allowed",
        "producer `ci` may not ask for `undeploy`"
      ],
      [
        "r2",
        false,
        "unknown-operation",
        "the request asks for something that this version does not know"
      ],
      [
        "r3",
        false,
        "api-not-found",
        "tenant `acme` has no API `cats`"
      ],
      [
        "r4",
        false,
        "invalid-name",
        "`../pets` is not an API name: use lower-case letters, digits and single hyphens, starting and ending with a letter or digit"
      ],
      [
        "r5",
        false,
        "environment-not-allowed",
        "tenant `acme` may not deploy to `prod`"
      ],
      [
        "r6",
        false,
        "gateway-not-found",
        "environment `staging` has no gateway `edge`"
      ],
      [
        "r7",
        false,
        "invalid-pin",
        "`main` is not a full commit id"
      ],
      [
        "r8",
        false,
        "nothing-earlier",
        "API `pets` has no earlier deployment in `staging` that succeeded"
      ],
      [
        "no spaces here",
        false,
        "invalid-request-id",
        "an id has 1 to 128 letters, digits, `-`, `_`, `.` and `:`"
      ]
    ]
    "#);
    assert_eq!(plane.messages().len(), commits);
}

#[actix_web::test]
async fn an_id_is_for_one_request() {
    let plane = plane().await;
    send(&plane, &signed(&deploy("r1")), &deploy("r1")).await;
    let other = DeployRequest { environment: "dev".to_owned(), ..deploy("r1") };
    send(&plane, &signed(&other), &other).await;
    assert_json_snapshot!(outcome(&plane), @r#"
    [
      "r1",
      false,
      "id-reused",
      "the id was used before, for another request"
    ]
    "#);
    let kept = plane.state.store.request("acme", "r1").await.unwrap().unwrap();
    assert_eq!(kept.outcome, "accepted");
}

#[actix_web::test]
async fn nobody_is_refused_before_the_desired_state_is_known() {
    let plane = plane().await;
    plane.state.desired.replace(crate::desired::Desired::default());
    let request = deploy("r1");
    let failure = OnDeployRequest(plane.door()).take(&signed(&request), &request).await.unwrap_err();
    assert_eq!(failure.disposition, domain::Disposition::Retry);
    assert!(plane.announced.so_far().outcomes.is_empty());
}

fn registration(id: &str, document: &str) -> ApiRegistration {
    ApiRegistration {
        request_id: id.to_owned(),
        tenant: "acme".to_owned(),
        api: "cats".to_owned(),
        version: "2.0.0".to_owned(),
        display_name: "Cats".to_owned(),
        description: String::new(),
        environment: "staging".to_owned(),
        gateways: vec!["builtin".to_owned()],
        backend_url: "http://127.0.0.1:8090".to_owned(),
        authentication: Authentication::Oauth2,
        policies: Policies { requests_per_minute: Some(60), burst: None },
        document_media_type: "application/yaml".to_owned(),
        document: Document::pack(document.as_bytes(), "application/yaml").unwrap().content,
    }
}

#[actix_web::test]
async fn a_registration_declares_and_deploys_in_one_commit_and_brings_up_to_date() {
    let plane = plane().await;
    let take = async |request: &ApiRegistration| {
        let arrival = arrival(&request.request_id, request, &request.tenant, &request.request_id);
        assert!(OnApiRegistration(plane.door()).take(&arrival, request).await.is_ok());
        outcome(&plane)
    };
    let commits = plane.messages().len();
    assert_json_snapshot!(take(&registration("a1", OPENAPI)).await, @r#"
    [
      "a1",
      true,
      null,
      null
    ]
    "#);
    assert_eq!(plane.messages().len(), commits + 1);
    assert_eq!(plane.messages()[0], "Register API acme/cats 2.0.0 in staging");
    for place in ["api", "deployments/dev", "deployments/staging"] {
        assert!(plane.file(&format!("tenants/acme/apis/cats/{place}.yaml")).is_some(), "{place}");
    }
    let newer = ApiRegistration { version: "2.1.0".to_owned(), ..registration("a2", OPENAPI) };
    take(&newer).await;
    assert!(plane.file("tenants/acme/apis/cats/api.yaml").unwrap().contains("2.1.0"));
    let broken = ApiRegistration { document: b"no zstd".to_vec(), ..registration("a3", OPENAPI) };
    let outcomes = [take(&registration("a4", "openapi: 9.9.9")).await, take(&broken).await];
    assert_json_snapshot!(outcomes, @r#"
    [
      [
        "a4",
        false,
        "invalid-document",
        "the OpenAPI document is not valid: OpenAPI 9.9.9 is not supported; 2.0, 3.0 and 3.1 are"
      ],
      [
        "a3",
        false,
        "invalid-document",
        "the document could not be decompressed"
      ]
    ]
    "#);
}
