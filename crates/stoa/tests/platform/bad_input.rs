//! What is wrong in the repository, and what that does not break.

use std::collections::BTreeMap;

use events::Notification;
use serde_json::{Value, json};

use crate::{
    documents::{Files, api, deployed, deployment, openapi, tenant, users},
    harness::{apart, shared},
    session::Session,
    topics::those,
    waiting::eventually,
};

/// What was notified of a commit: the file, with what is wrong with it.
async fn complaints(session: &Session, commit: &str) -> BTreeMap<String, String> {
    let about = format!("Commit {commit}.");
    let told = those::<Notification>(&session.bus, |it| it.body.contains(&about)).await;
    let line = |body: &str| body.lines().next().unwrap_or_default().to_owned();
    told.iter().map(|it| (it.event.entity.clone(), line(&it.event.body))).collect()
}

#[tokio::test]
async fn every_bad_file_is_named_and_the_rest_takes_effect() {
    let Some(session) = shared().await else { return };
    let checkout = session.checkout();
    let (folder, head) = ("tenants/clinic/apis", "apiVersion: stoa.io/v1\nkind: API\nmetadata:\n");
    let backend = "spec:\n  backend: {url: http://127.0.0.1:1}\n";
    let mut files = deployed("clinic", "sound", "sound");
    let uid = "0198c0de-0000-7000-8000-00000000c11c";
    files.extend(api("clinic", "twin-a", "a"));
    files.extend(api("clinic", "twin-b", "b"));
    for twin in ["twin-a", "twin-b"] {
        let text = format!("{head}  name: {twin}\n  uid: {uid}\n{backend}");
        files.insert(format!("{folder}/{twin}/api.yaml"), Some(text));
    }
    let bad = [
        ("torn/api.yaml", "kind: API\n  spec: [\n".to_owned()),
        ("odd/api.yaml", format!("{head}  name: odd\nspec:\n  backend:\n    urll: http://a\n")),
        ("theirs/api.yaml", format!("{head}  name: theirs\n  tenant: globex\n{backend}")),
        ("Loud/api.yaml", format!("{head}  name: Loud\n{backend}")),
        ("bare/api.yaml", format!("{head}  name: bare\n{backend}")),
        ("broken/api.yaml", format!("{head}  name: broken\n{backend}")),
        (
            "broken/openapi.yaml",
            "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n  - nothing\n".to_owned(),
        ),
    ];
    for (path, text) in &bad {
        files.insert(format!("{folder}/{path}"), Some(text.clone()));
    }
    files.extend([
        tenant("clinic", ""),
        (
            "tenants/clinic/users.yaml".to_owned(),
            Some(
                "apiVersion: stoa.io/v1\nkind: Users\nspec:\n  users:\n    - email: alice@acme.example\n"
                    .to_owned(),
            ),
        ),
        deployment("clinic", "bare"),
    ]);
    let commit = checkout.publish(&files, "Much at once");
    session.served("clinic", "sound", "sound").await;

    let told = eventually("all complaints are told", async || {
        let told = complaints(&session, &commit).await;
        (told.len() >= 8).then_some(told)
    })
    .await;
    let said = |path: &str| told.get(path).map_or("nothing", String::as_str);
    let expected = [
        ("torn/api.yaml", ":2:7: mapping values are not allowed"),
        ("odd/api.yaml", ":7:5: `spec.backend.urll`: unknown field `urll`; did you mean `url`?"),
        ("theirs/api.yaml", ":5:3: `metadata.tenant`: the document says `globex`, its path says `clinic`"),
        ("Loud/api.yaml", "`Loud` is not an API name"),
        ("bare/api.yaml", "OpenAPI document"),
        ("broken/openapi.yaml", "/paths"),
    ];
    for (path, part) in expected {
        let path = format!("{folder}/{path}");
        assert!(said(&path).starts_with(&path) && said(&path).contains(part), "{path}: {told:#?}");
    }
    let mail = said("tenants/clinic/users.yaml");
    assert!(mail.contains("e-mail `alice@acme.example` belongs to tenant `acme`"), "{told:#?}");
    let twins = ["twin-a", "twin-b"].map(|twin| said(&format!("{folder}/{twin}/api.yaml")).to_owned());
    assert_eq!(
        twins.iter().filter(|said| said.contains(&format!("uid `{uid}` belongs to"))).count(),
        1,
        "{told:#?}"
    );

    let apis = session.list("admin", "/v1/tenants/clinic/apis").await;
    let names: Vec<&str> = apis.iter().map(|api| api["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.contains(&"sound"), "{names:?}");
    let traces = session.list("admin", "/v1/traces?tenant=clinic&status=failed").await;
    assert_eq!(traces[0]["commit"], commit.as_str());
}

#[tokio::test]
async fn references_that_go_round_or_deep_harm_nobody() {
    let Some(session) = shared().await else { return };
    let mut text = openapi();
    text.push_str("components:\n  schemas:\n");
    text.extend((0..10_000).map(|number| {
        let next = (number + 1) % 10_000;
        format!("    S{number}: {{type: object, properties: {{next: {{$ref: '#/components/schemas/S{next}'}}}}}}\n")
    }));
    let text = text.replacen(
        "{type: object, properties: {text: {type: string}}}",
        "{$ref: '#/components/schemas/S0'}",
        1,
    );
    let mut files = deployed("maze", "rounds", "rounds");
    files.insert("tenants/maze/apis/rounds/openapi.yaml".to_owned(), Some(text));
    files.extend(deployed("maze", "plain", "plain"));
    files.extend([tenant("maze", "")]);
    let commit = session.checkout().publish(&files, "Go round");
    session.served("maze", "plain", "plain").await;
    // Served, or refused with a reason: never silence.
    eventually("the cycle is decided", async || {
        let answer = session.call("admin", "/apis/maze/rounds/hello").await;
        let deployments = session.list("admin", "/v1/tenants/maze/deployments?api=rounds").await;
        let refused =
            deployments.first().is_some_and(|it| it["status"] == "failed" && it["error_message"].is_string());
        let complained = complaints(&session, &commit).await.keys().any(|path| path.contains("rounds"));
        (answer.status == 200 || refused || complained).then_some(())
    })
    .await;
}

#[tokio::test]
async fn one_broken_file_among_fifty_tenants_stops_nobody_and_its_last_state_survives_a_restart() {
    let Some(platform) = apart().await else { return };
    let session = platform.session().await;
    let name = |number: usize| format!("fleet-{number:02}");
    let checkout = session.checkout();
    let mut files: Files = (0..50).map(|number| tenant(&name(number), "")).collect();
    files.extend(deployed("fleet-07", "radio", "radio"));
    checkout.publish(&files, "Fifty tenants");
    session.served("fleet-07", "radio", "radio").await;

    let mut files: Files = (0..50).map(|number| tenant(&name(number), "  description: Refitted\n")).collect();
    let broken = api("fleet-07", "radio", "other");
    let path = "tenants/fleet-07/apis/radio/api.yaml";
    let text = broken[path].as_ref().unwrap().replace("    url:", "    urll:");
    files.insert(path.to_owned(), Some(text));
    let commit = checkout.publish(&files, "Refit, with a slip");
    session.reached(&commit).await;

    let check = async |session: &Session| {
        let tenants = session.list("admin", "/v1/tenants").await;
        let refitted = tenants.iter().filter(|tenant| tenant["description"] == "Refitted").count();
        assert_eq!(refitted, 50);
        session.served("fleet-07", "radio", "radio").await;
        let shown = session.get("admin", "/v1/tenants/fleet-07/apis/radio").await.expect(200);
        let field = json!("spec.backend.urll");
        let problem = &shown["problems"][0];
        assert_eq!(
            (&problem["path"], &problem["line"], &problem["field"]),
            (&json!(path), &json!(9), &field)
        );
        assert_eq!(
            (&problem["message"], &problem["suggestion"]),
            (&json!("unknown field `urll`"), &json!("url"))
        );
    };
    check(&session).await;
    let told = complaints(&session, &commit).await;
    assert_eq!(told.len(), 1, "{told:#?}");
    platform.stop().await;
    platform.up().await;
    let session = platform.session().await;
    check(&session).await;
    assert_eq!(complaints(&session, &commit).await, told, "it is not told twice");

    let mended = api("fleet-07", "radio", "mended");
    session.checkout().publish(&mended, "Mend it");
    session.served("fleet-07", "radio", "mended").await;
    let shown = session.get("admin", "/v1/tenants/fleet-07/apis/radio").await.expect(200);
    assert_eq!(shown["problems"], json!([]));
}

#[tokio::test]
async fn a_commit_that_removes_much_waits_for_a_person() {
    let Some(platform) = apart().await else { return };
    let session = platform.session().await;
    let checkout = session.checkout();
    let names: Vec<String> = (0..60).map(|number| format!("herd-{number:02}")).collect();
    let commit = checkout.publish(&names.iter().map(|name| tenant(name, "")).collect(), "A herd");
    session.reached(&commit).await;

    let gone = names.iter().map(|name| (format!("tenants/{name}"), None)).collect();
    let commit = checkout.publish(&gone, "Oops");
    let log = platform.data.join("logs/control-plane-api.log");
    eventually("the relay says that it waits", async || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        text.contains(&format!("Commit {commit} removes 60 entities")).then_some(())
    })
    .await;
    let herd = async || {
        let tenants: Vec<Value> = session.list("admin", "/v1/tenants").await;
        tenants.iter().filter(|tenant| tenant["id"].as_str().unwrap().starts_with("herd-")).count()
    };
    assert_eq!(herd().await, 60);
    let denied = session.post("alice", "/v1/relay/approvals", &json!({ "commit": commit })).await;
    assert_eq!(denied.problem()["status"], 403);
    session.post("admin", "/v1/relay/approvals", &json!({ "commit": commit })).await.expect(202);
    session.reached(&commit).await;
    assert_eq!(herd().await, 0);
    // Nobody else was touched.
    let members = users("acme", &[]).0;
    assert!(checkout.git(&["cat-file", "-e", &format!("HEAD:{members}")]).is_ok());
    assert_eq!(session.get("alice", "/v1/tenants/acme").await.status, 200);
}
