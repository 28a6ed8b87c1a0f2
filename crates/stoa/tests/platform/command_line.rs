//! The command line, as people and pipelines type it.

use std::{
    io::{BufRead as _, BufReader},
    process::{Output, Stdio},
};

use serde_json::{Value, json};

use crate::{
    documents::{api, deployment, tenant, users},
    harness::shared,
    keeper,
    session::{Session, answer},
    waiting::eventually,
};

/// What a command prints as JSON; it must have gone well.
fn json_of(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"))
}

/// What a command complains about; it must have failed.
fn complaint(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

fn stoa(session: &Session, line: &str) -> Output {
    let arguments: Vec<&str> = line.split(' ').collect();
    crate::harness::stoa(&session.data, &arguments)
}

#[tokio::test]
async fn what_files_say_is_applied_deployed_again_rolled_back_and_checked_with_its_history() {
    let Some(session) = shared().await else { return };
    let checkout = session.checkout();
    let mut files = api("workshop", "tools", "bench-a");
    files.extend([tenant("workshop", ""), deployment("workshop", "tools")]);
    checkout.write(&files);
    let folder = checkout.path().join("tenants/workshop");
    let apply =
        || crate::harness::stoa(&session.data, &["apply", "-o", "json", "-f", folder.to_str().unwrap()]);
    let states = |output: &Output| -> Vec<Value> {
        json_of(output).as_array().unwrap().iter().map(|row| row["state"].clone()).collect()
    };
    let first = apply();
    // The environment deploys by itself what is declared, so the deployment stands there already.
    assert_eq!(states(&first), ["created", "created", "as it was"], "{first:?}");
    session.served("workshop", "tools", "bench-a").await;
    assert_eq!(states(&apply()), ["as it was", "as it was", "as it was"]);
    checkout.write(&api("workshop", "tools", "bench-b"));
    assert_eq!(states(&apply()), ["as it was", "changed", "as it was"]);
    session.served("workshop", "tools", "bench-b").await;

    checkout.write(&[users("workshop", &[("will", "viewer")])].into());
    let refused = complaint(&apply());
    assert!(refused.contains("users.yaml") && refused.contains("committed to the repository"), "{refused}");

    let again = json_of(&stoa(&session, "deploy tools -t workshop --again -o json"));
    assert_eq!(again["status"], "succeeded", "{again}");
    let unchanged = json_of(&stoa(&session, "deploy tools -t workshop -o json"));
    assert_eq!(unchanged["id"], again["id"], "nothing to do, so the newest is shown");
    let id = again["id"].as_str().unwrap();
    let logs = stoa(&session, &format!("logs {id} -t workshop"));
    let logs = String::from_utf8(logs.stdout).unwrap();
    assert!(logs.contains("probe") && logs.contains("finished"), "{logs}");
    let back = json_of(&stoa(&session, &format!("rollback {id} -t workshop -o json")));
    assert_eq!(back["status"], "succeeded", "{back}");
    session.served("workshop", "tools", "bench-a").await;

    // A working copy knows the commits that are pinned; files alone do not.
    let fresh = session.checkout();
    let path = fresh.path().display().to_string();
    let valid = stoa(&session, &format!("validate {path}"));
    let problems: Value =
        serde_json::from_slice(&stoa(&session, &format!("validate {path} -o json")).stdout).unwrap();
    let ours = |problem: &&Value| problem["path"].as_str().unwrap().starts_with("tenants/workshop/");
    assert_eq!(problems.as_array().unwrap().iter().filter(ours).count(), 0, "{valid:?}");
    std::fs::remove_dir_all(fresh.path().join(".git")).unwrap();
    let problems: Value =
        serde_json::from_slice(&stoa(&session, &format!("validate {path} -o json")).stdout).unwrap();
    let told: Vec<&Value> = problems.as_array().unwrap().iter().filter(ours).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0]["message"].as_str().unwrap().contains("is not in the history"), "{told:?}");
    let empty = tempfile::tempdir().unwrap();
    let refused = complaint(&stoa(&session, &format!("validate {}", empty.path().display())));
    assert!(refused.contains("holds nothing of a repository of STOA"), "{refused}");
}

#[tokio::test]
async fn somebody_who_just_joined_signs_in_with_a_browser() {
    let Some(session) = shared().await else { return };
    let files = [tenant("guild", ""), users("guild", &[("nora", "tenant-admin")])].into();
    let commit = session.checkout().publish(&files, "Found the guild");
    session.reached(&commit).await;

    // Elsewhere, as on another machine: only addresses are known.
    let home = tempfile::tempdir().unwrap();
    let (base, issuer) = (session.connection.api.as_str(), session.connection.issuer.as_str());
    let stoa = |line: &str| {
        let arguments: Vec<&str> = line.split(' ').collect();
        crate::harness::stoa(home.path(), &arguments)
    };
    let refused = complaint(&stoa("get apis -t guild"));
    assert!(refused.contains("stoa login"), "{refused}");
    let refused = complaint(&stoa(&format!("get apis -t guild --api {base}")));
    assert!(refused.contains("nobody is signed in"), "{refused}");

    let mut command = keeper::tied(env!("CARGO_BIN_EXE_stoa"));
    command.arg("--data").arg(home.path()).args(["login", "--api", base, "--issuer", issuer]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let login = std::cell::RefCell::new(keeper::spawn(command));
    let mut lines = BufReader::new(login.borrow_mut().stderr.take().unwrap()).lines().map_while(Result::ok);
    let address = lines.next().unwrap().replace("Open ", "");
    let code = lines.next().unwrap().replace("and confirm the code ", "");

    let page = answer(session.http.get(&address)).await;
    assert!(page.status.is_success() && page.text.contains(&code), "{page:?}");
    let (_, key) = page.text.split_once("name=\"form_key\" value=\"").unwrap();
    let key = key.split('"').next().unwrap();
    assert!(page.text.contains("value=\"nora\""), "{page:?}");
    let form = [("user_code", code.as_str()), ("form_key", key), ("username", "nora"), ("decision", "allow")];
    let activate = session.connection.issuer.join("activate").unwrap();
    let done = answer(session.http.post(activate).form(&form)).await;
    assert!(done.text.contains("You are signed in as nora"), "{done:?}");
    let ended = eventually("the sign-in ends", async || login.borrow_mut().try_wait().unwrap()).await;
    assert!(ended.success());

    // The session knows its control plane; what it may do is for that to say.
    assert_eq!(json_of(&stoa("get apis -t guild -o json")), json!([]));
    assert!(complaint(&stoa("get apis -t acme")).contains("Not allowed"), "another tenant's are not shown");
    let elsewhere = complaint(&stoa("get apis -t guild --api http://127.0.0.1:9"));
    assert!(elsewhere.contains("nobody is signed in to `http://127.0.0.1:9/`"), "{elsewhere}");
}
