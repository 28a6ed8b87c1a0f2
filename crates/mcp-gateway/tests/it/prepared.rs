//! Lists as they are sent: whole, shared, and compressed for those who take that.

use reqwest::{Client, header::ACCEPT_ENCODING};
use runtime::{HttpSettings, http_client};
use serde_json::{Value, json};

use crate::world::{Answer, World};

fn message(id: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/list"})
}

async fn list(client: &Client, world: &World, accepted: Option<&str>) -> Answer {
    let request = client.post(world.url("/mcp")).bearer_auth(world.token("acme")).json(&message("a\"b"));
    let request = accepted.into_iter().fold(request, |request, value| request.header(ACCEPT_ENCODING, value));
    Answer::of(request.send().await.unwrap()).await
}

#[actix_web::test]
async fn a_list_is_compressed_for_those_who_take_it_and_says_the_same() {
    let world = World::with_pets();
    let plain = list(&world.client, &world, None).await;
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "accept-encoding"));
    assert_eq!(plain.header("content-length"), plain.text.len().to_string());
    assert_eq!(plain.json()["id"], "a\"b");
    assert_eq!(plain.json()["result"]["tools"].as_array().unwrap().len(), 8 + 3);

    for without in ["identity", "br", "gzip;q=0", "deflate, zstd"] {
        assert_eq!(list(&world.client, &world, Some(without)).await.text, plain.text, "{without}");
    }
    for with in ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.8, *;q=0.1"] {
        let answer = list(&world.client, &world, Some(with)).await;
        assert_eq!(answer.header("content-encoding"), "gzip", "{with}");
        assert!(answer.header("content-length").parse::<usize>().unwrap() < plain.text.len() / 3, "{with}");
    }
    let unpacking = http_client(&HttpSettings::default()).unwrap();
    assert_eq!(list(&unpacking, &world, None).await.text, plain.text);
}

#[actix_web::test]
async fn lists_in_a_batch_are_whole_messages() {
    let world = World::with_pets();
    let batch =
        json!([message("1"), {"jsonrpc": "2.0", "method": "notifications/initialized"}, message("2")]);
    let answer = world.post(Some(&world.token("acme")), &[("accept-encoding", "gzip")], &batch).await;
    let answers = answer.json();
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 2);
    assert_eq!((&answers[0]["id"], &answers[1]["id"]), (&json!("1"), &json!("2")));
    assert_eq!(answers[0]["result"], answers[1]["result"]);
}
