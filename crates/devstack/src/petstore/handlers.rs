//! The pet store over HTTP.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, LOCATION, RETRY_AFTER},
    },
    web::{
        self, Bytes, Data, Json, JsonConfig, PathConfig, PayloadConfig, Query, QueryConfig, ServiceConfig,
    },
};
use serde::Deserialize;
use serde_json::json;

use super::{
    OPENAPI,
    pet::{NewPet, Species, Status},
    store::{Photo, Store},
};

const LARGEST_PHOTO: usize = 2 * 1024 * 1024;
const LARGEST_PAGE: usize = 100;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .app_data(JsonConfig::default().error_handler(|error, _| bad(error)))
        .app_data(QueryConfig::default().error_handler(|error, _| bad(error)))
        .app_data(PathConfig::default().error_handler(|error, _| bad(error)))
        // One byte more than is taken, so that the handler says what is wrong.
        .app_data(PayloadConfig::new(LARGEST_PHOTO + 1))
        .route("/openapi.yaml", web::get().to(document))
        .route("/pets", web::get().to(list))
        .route("/pets", web::post().to(create))
        .route("/pets/search", web::get().to(search))
        .route("/pets/{petId}", web::get().to(get))
        .route("/pets/{petId}", web::put().to(update))
        .route("/pets/{petId}", web::delete().to(delete))
        .route("/pets/{petId}/photo", web::put().to(upload))
        .route("/pets/{petId}/photo", web::get().to(download))
        .route("/inventory", web::get().to(inventory))
        .route("/categories", web::get().to(categories))
        .route("/fault", web::get().to(fail))
        .default_service(web::to(async || problem(StatusCode::NOT_FOUND, "there is nothing here")));
}

fn problem(status: StatusCode, detail: &str) -> HttpResponse {
    HttpResponse::build(status).content_type("application/problem+json").json(json!({
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
    }))
}

fn bad(error: impl std::fmt::Debug + std::fmt::Display + 'static) -> actix_web::Error {
    let answer = problem(StatusCode::BAD_REQUEST, &error.to_string());
    actix_web::error::InternalError::from_response(error, answer).into()
}

fn no_such_pet() -> HttpResponse {
    problem(StatusCode::NOT_FOUND, "there is no such pet")
}

async fn document() -> HttpResponse {
    HttpResponse::Ok().content_type("application/yaml").body(OPENAPI)
}

/// The parameters of `list`; repeated ones are read by hand.
fn pairs(request: &HttpRequest) -> Vec<(String, String)> {
    url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect()
}

fn parsed<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T, actix_web::Error> {
    serde_json::from_value(json!(text)).map_err(|error| bad(format!("`{name}`: {error}")))
}

async fn list(store: Data<Store>, request: HttpRequest) -> Result<HttpResponse, actix_web::Error> {
    let (mut status, mut species, mut limit, mut after) = (None::<Status>, Vec::<Species>::new(), 20, 0);
    for (name, value) in pairs(&request) {
        match name.as_str() {
            "status" => status = Some(parsed("status", &value)?),
            "species" => species.push(parsed("species", &value)?),
            "limit" => limit = limit_of(value.parse().ok())?,
            "cursor" => after = value.parse().map_err(|_| bad("`cursor` is not one of ours".to_owned()))?,
            other => return Err(bad(format!("there is no parameter `{other}`"))),
        }
    }
    let (items, more) = store.page(after, limit, |pet| {
        status.is_none_or(|status| pet.described.status == status)
            && (species.is_empty() || species.contains(&pet.described.species))
    });
    let next = items.last().filter(|_| more).map(|pet| pet.id.to_string());
    Ok(HttpResponse::Ok().json(json!({ "items": items, "nextCursor": next })))
}

fn limit_of(limit: Option<usize>) -> Result<usize, actix_web::Error> {
    limit
        .filter(|limit| (1..=LARGEST_PAGE).contains(limit))
        .ok_or_else(|| bad(format!("`limit` is a number from 1 to {LARGEST_PAGE}")))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Search {
    q: String,
    tags: Option<String>,
    max_age_months: Option<u32>,
    limit: Option<usize>,
}

async fn search(store: Data<Store>, search: Query<Search>) -> Result<HttpResponse, actix_web::Error> {
    if !(1..=100).contains(&search.q.chars().count()) {
        return Err(bad("`q` has 1 to 100 characters".to_owned()));
    }
    let limit = limit_of(search.limit.or(Some(20)))?;
    let tags: Vec<&str> = search.tags.iter().flat_map(|tags| tags.split(',')).collect();
    let (mut found, _) = store.page(0, usize::MAX - 1, |pet| {
        let described = &pet.described;
        pet.rank(&search.q).is_some()
            && tags.iter().all(|tag| described.tags.iter().any(|own| own == tag))
            && search.max_age_months.is_none_or(|most| described.age_months.is_some_and(|age| age <= most))
    });
    found.sort_by_key(|pet| pet.rank(&search.q));
    found.truncate(limit);
    Ok(HttpResponse::Ok().json(found))
}

async fn create(store: Data<Store>, pet: Json<NewPet>) -> HttpResponse {
    if let Some(wrong) = pet.problem() {
        return problem(StatusCode::BAD_REQUEST, wrong);
    }
    let pet = store.create(pet.into_inner());
    HttpResponse::Created().insert_header((LOCATION, format!("/pets/{}", pet.id))).json(pet)
}

async fn get(store: Data<Store>, id: web::Path<i64>) -> HttpResponse {
    store.get(*id).map_or_else(no_such_pet, |pet| HttpResponse::Ok().json(pet))
}

async fn update(store: Data<Store>, id: web::Path<i64>, pet: Json<NewPet>) -> HttpResponse {
    if let Some(wrong) = pet.problem() {
        return problem(StatusCode::BAD_REQUEST, wrong);
    }
    store.update(*id, pet.into_inner()).map_or_else(no_such_pet, |pet| HttpResponse::Ok().json(pet))
}

async fn delete(store: Data<Store>, id: web::Path<i64>) -> HttpResponse {
    store.delete(*id).map_or_else(no_such_pet, |_| HttpResponse::NoContent().finish())
}

async fn upload(
    store: Data<Store>,
    id: web::Path<i64>,
    request: HttpRequest,
    content: Bytes,
) -> HttpResponse {
    let named = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // The content has to be what the header says: the photo is served to browsers later.
    let content_type = match named {
        Some("image/png") if content.starts_with(b"\x89PNG\r\n\x1a\n") => "image/png",
        Some("image/jpeg") if content.starts_with(b"\xff\xd8\xff") => "image/jpeg",
        _ => return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the photo is neither a PNG nor a JPEG"),
    };
    let bytes = content.len();
    if bytes > LARGEST_PHOTO {
        return problem(StatusCode::PAYLOAD_TOO_LARGE, "a photo has at most 2 MiB");
    }
    store.keep_photo(*id, Photo { content_type, content }).map_or_else(no_such_pet, |()| {
        HttpResponse::Ok().json(json!({ "contentType": content_type, "bytes": bytes }))
    })
}

async fn download(store: Data<Store>, id: web::Path<i64>) -> HttpResponse {
    match store.photo(*id) {
        Some(photo) => HttpResponse::Ok().content_type(photo.content_type).body(photo.content),
        None => problem(StatusCode::NOT_FOUND, "there is no such pet, or no photo of it"),
    }
}

async fn inventory(store: Data<Store>) -> HttpResponse {
    HttpResponse::Ok().json(store.inventory())
}

async fn categories() -> HttpResponse {
    let leaf = |name: &str| json!({ "name": name, "children": [] });
    HttpResponse::Ok().json(json!({
        "name": "pets",
        "children": [
            { "name": "mammals", "children": [leaf("cat"), leaf("dog"), leaf("rabbit")] },
            { "name": "birds", "children": [leaf("parrot")] },
            { "name": "reptiles", "children": [leaf("tortoise")] },
        ],
    }))
}

#[derive(Debug, Deserialize)]
struct Fault {
    status: Option<u16>,
}

async fn fail(fault: Query<Fault>) -> HttpResponse {
    let status = fault.status.unwrap_or(500);
    if ![400, 404, 409, 429, 500, 503].contains(&status) {
        return problem(StatusCode::BAD_REQUEST, "`status` is 400, 404, 409, 429, 500 or 503");
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = problem(status, "you asked for it");
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        answer.headers_mut().insert(RETRY_AFTER, actix_web::http::header::HeaderValue::from_static("1"));
    }
    answer
}

#[cfg(test)]
mod tests;
