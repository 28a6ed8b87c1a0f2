use std::time::Duration;

use reqwest::StatusCode;
use runtime::{HttpSettings, Lifecycle, http_client};

use crate::server::serve;

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let lifecycle = Lifecycle::manual();
    let answer = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let (address, mut requests) = serve(&lifecycle, answer).await;
    let client = http_client(&HttpSettings::default()).unwrap();
    let response = client.get(address).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    let request = requests.recv().await.unwrap();
    assert!(request.contains(concat!("user-agent: stoa/", env!("CARGO_PKG_VERSION"))), "{request}");
}

#[tokio::test]
async fn a_silent_peer_costs_the_time_out_and_no_more() {
    let lifecycle = Lifecycle::manual();
    let (address, _requests) = serve(&lifecycle, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").await;
    let settings = HttpSettings { timeout: Duration::from_millis(50), ..HttpSettings::default() };
    let client = http_client(&settings).unwrap();
    let error = client.get(address).send().await.unwrap().bytes().await.unwrap_err();
    assert!(error.is_timeout() || error.is_body() || error.is_decode(), "{error:?}");
}

#[tokio::test]
async fn a_proxy_is_not_used_for_loopback() {
    let lifecycle = Lifecycle::manual();
    let (address, _requests) = serve(&lifecycle, "HTTP/1.1 204 No Content\r\n\r\n").await;
    let proxy = Some("http://127.0.0.1:1".parse().unwrap());
    let client = http_client(&HttpSettings { proxy, ..HttpSettings::default() }).unwrap();
    assert_eq!(client.get(address).send().await.unwrap().status(), StatusCode::NO_CONTENT);
}
