use actix_web::{App, http::Method, test};
use serde_json::Value;

use super::*;

struct Shop(Data<Store>);

impl Shop {
    fn open() -> Self {
        Self(Data::new(Store::with_samples()))
    }

    async fn send(&self, request: test::TestRequest) -> (u16, Bytes) {
        let app = test::init_service(App::new().app_data(self.0.clone()).configure(routes)).await;
        let answer = test::call_service(&app, request.to_request()).await;
        let status = answer.status().as_u16();
        (status, test::read_body(answer).await)
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = test::TestRequest::with_uri(path).method(method);
        if let Some(body) = body {
            request = request.set_json(body);
        }
        let (status, body) = self.send(request).await;
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, path, None).await
    }
}

fn names(pets: &Value) -> Vec<&str> {
    pets.as_array().unwrap().iter().map(|pet| pet["name"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn pets_come_in_pages_and_by_filter() {
    let shop = Shop::open();
    let (_, first) = shop.get("/pets?limit=2").await;
    assert_eq!((names(&first["items"]), &first["nextCursor"]), (vec!["Mimi", "Rex"], &json!("2")));
    let (_, rest) = shop.get("/pets?limit=3&cursor=2").await;
    assert_eq!((names(&rest["items"]), &rest["nextCursor"]), (vec!["Hazel", "Kiwi", "Solon"], &Value::Null));
    let (_, some) = shop.get("/pets?species=dog&species=tortoise&status=sold").await;
    assert_eq!(names(&some["items"]), ["Solon"]);
    for wrong in ["limit=0", "limit=many", "species=unicorn", "cursor=x", "colour=red"] {
        assert_eq!(shop.get(&format!("/pets?{wrong}")).await.0, 400, "{wrong}");
    }
}

#[actix_web::test]
async fn a_pet_is_created_changed_and_removed() {
    let shop = Shop::open();
    let bello = json!({"name": "Bello", "species": "dog", "ageMonths": null});
    let (status, created) = shop.ask(Method::POST, "/pets", Some(bello)).await;
    assert_eq!(
        (status, created),
        (
            201,
            json!({
                "id": 6, "name": "Bello", "species": "dog", "status": "available", "description": null,
                "ageMonths": null, "tags": [], "owner": null, "hasPhoto": false
            })
        )
    );
    let sold = json!({"name": "Bello", "species": "dog", "status": "sold", "owner": {"name": "Ada"}});
    let (status, changed) = shop.ask(Method::PUT, "/pets/6", Some(sold)).await;
    assert_eq!((status, &changed["owner"]), (200, &json!({"name": "Ada", "email": null})));
    assert_eq!(shop.get("/inventory").await.1, json!({"available": 3, "pending": 1, "sold": 2}));
    assert_eq!(shop.ask(Method::DELETE, "/pets/6", None).await.0, 204);
    assert_eq!(shop.get("/pets/6").await.0, 404);
}

#[actix_web::test]
async fn a_pet_that_makes_no_sense_is_refused() {
    let shop = Shop::open();
    for wrong in [
        json!({"name": "", "species": "dog"}),
        json!({"name": "Nessie", "species": "monster"}),
        json!({"name": "Rex"}),
        json!({"name": "Rex", "species": "dog", "colour": "red"}),
        json!({"name": "Rex", "species": "dog", "ageMonths": 9000}),
    ] {
        let (status, answer) = shop.ask(Method::POST, "/pets", Some(wrong.clone())).await;
        assert_eq!((status, &answer["title"]), (400, &json!("Bad Request")), "{wrong}");
    }
}

#[actix_web::test]
async fn a_search_finds_words_tags_and_ages() {
    let shop = Shop::open();
    assert_eq!(names(&shop.get("/pets/search?q=FRIENDLY").await.1), ["Mimi", "Kiwi"]);
    assert_eq!(names(&shop.get("/pets/search?q=friendly&tags=loud,curious").await.1), ["Kiwi"]);
    assert_eq!(names(&shop.get("/pets/search?q=friendly&maxAgeMonths=12").await.1), ["Mimi"]);
    assert_eq!(shop.get("/pets/search").await.0, 400);
}

#[actix_web::test]
async fn a_photo_comes_back_as_it_was_sent() {
    let shop = Shop::open();
    let png = b"\x89PNG\r\n\x1a\nrest".to_vec();
    let put = |content: Vec<u8>, kind: &'static str| {
        test::TestRequest::put().uri("/pets/1/photo").insert_header((CONTENT_TYPE, kind)).set_payload(content)
    };
    assert_eq!(shop.get("/pets/1/photo").await.0, 404);
    let (status, body) = shop.send(put(png.clone(), "image/png")).await;
    assert_eq!((status, body.as_ref()), (200, br#"{"contentType":"image/png","bytes":12}"#.as_slice()));
    let (_, sent) = shop.send(test::TestRequest::get().uri("/pets/1/photo")).await;
    assert_eq!(sent, png);
    assert_eq!(shop.get("/pets/1").await.1["hasPhoto"], true);
    assert_eq!(shop.send(put(b"<svg/>".to_vec(), "image/png")).await.0, 415);
    let mut huge = png;
    huge.resize(LARGEST_PHOTO + 1, 0);
    assert_eq!(shop.send(put(huge, "image/png")).await.0, 413);
}

#[actix_web::test]
async fn a_fault_fails_as_asked() {
    let shop = Shop::open();
    assert_eq!(shop.get("/fault").await.0, 500);
    assert_eq!(shop.get("/fault?status=503").await.0, 503);
    assert_eq!(shop.get("/fault?status=200").await.0, 400);
}

#[actix_web::test]
async fn the_document_describes_every_route() {
    let shop = Shop::open();
    let (status, text) = shop.send(test::TestRequest::get().uri("/openapi.yaml")).await;
    assert_eq!((status, text.as_ref()), (200, OPENAPI.as_bytes()));
    for path in [
        "/pets",
        "/pets/search",
        "/pets/{petId}",
        "/pets/{petId}/photo",
        "/inventory",
        "/categories",
        "/fault",
    ] {
        assert!(OPENAPI.contains(&format!("\n  {path}:\n")), "{path}");
    }
}
