//! A sign-in by device code over real connections, as a terminal and a browser make it.

use std::sync::Arc;

use devstack::issuer::{DEVICE_GRANT, Issuer, Key, PEOPLES_CLIENT, People, Sessions, User};
use reqwest::{Client, header::ORIGIN};
use runtime::{HttpSettings, Lifecycle, SystemClock, SystemRandom, http_client};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

async fn post(http: &Client, url: &str, origin: Option<&str>, fields: &[(&str, &str)]) -> (u16, String) {
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = http.post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
    if let Some(origin) = origin {
        request = request.header(ORIGIN, origin);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn get(http: &Client, url: &str) -> String {
    http.get(url).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_person_of_this_machine_signs_a_program_in_and_no_page_of_another_site_can() {
    let home = tempfile::tempdir().unwrap();
    let people = People::default().with_user(User::of(&"demo".parse().unwrap(), "ada", "Ada", "viewer"));
    let issuer = Issuer::new(
        Key::read_or_make(&home.path().join("issuer.pem")).unwrap(),
        Arc::new(people),
        Sessions::open(&home.path().join("sessions.json")).unwrap(),
        Arc::new(SystemClock),
        Arc::new(SystemRandom::default()),
    );
    let served = issuer.serve(std::net::TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    let (base, lifecycle) = (served.base(), Lifecycle::manual());
    let stopping = lifecycle.stopping();
    lifecycle.spawn("issuer", served.serve(async move { stopping.requested().await }));
    let http = http_client(&HttpSettings::default()).unwrap();

    // The terminal.
    let metadata = get(&http, &format!("{base}/.well-known/openid-configuration")).await;
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let (device, token) = (&metadata["device_authorization_endpoint"], &metadata["token_endpoint"]);
    let (device, token) = (device.as_str().unwrap(), token.as_str().unwrap());
    let (_, begun) = post(&http, device, None, &[("client_id", PEOPLES_CLIENT)]).await;
    let begun: Value = serde_json::from_str(&begun).unwrap();
    let text = |name: &str| begun[name].as_str().unwrap();
    let ask = async || {
        let code = text("device_code");
        let fields = [("grant_type", DEVICE_GRANT), ("device_code", code), ("client_id", PEOPLES_CLIENT)];
        let (status, answer) = post(&http, token, None, &fields).await;
        (status, serde_json::from_str::<Value>(&answer).unwrap())
    };
    assert_eq!(ask().await.1["error"], "authorization_pending");

    // The browser.
    let page = get(&http, text("verification_uri_complete")).await;
    let key = page.split_once(r#"name="form_key" value=""#).unwrap().1.split_once('"').unwrap().0;
    let form =
        [("user_code", text("user_code")), ("form_key", key), ("username", "ada"), ("decision", "allow")];
    for elsewhere in ["https://elsewhere.example", "null"] {
        assert_eq!(post(&http, text("verification_uri"), Some(elsewhere), &form).await.0, 403);
    }
    assert_eq!(post(&http, text("verification_uri"), Some(&base), &form).await.0, 200);

    let (status, granted) = ask().await;
    assert_eq!((status, &granted["token_type"]), (200, &json!("Bearer")), "{granted}");
    lifecycle.stopper().stop();
    assert_eq!(lifecycle.outcome().await, runtime::Outcome::Clean);
}
