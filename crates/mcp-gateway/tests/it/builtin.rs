use std::{collections::BTreeMap, sync::Arc};

use domain::id::{CommitId, Revision};
use events::{
    Authentication, CatalogApi, CatalogEnvironment, CatalogGateway, CatalogTenant, Document, Event,
    GatewayKind, Level, TenantLifecycle,
};
use mcp_gateway::{Catalogue, McpSettings, Records};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{PETS, World, envelope};

fn commit() -> CommitId {
    CommitId::try_from("0".repeat(40)).unwrap()
}

fn api(tenant: &str, name: &str, tag: &str) -> CatalogApi {
    CatalogApi {
        tenant: tenant.parse().unwrap(),
        api: name.parse().unwrap(),
        uid: Uuid::from_u128(name.len() as u128),
        display_name: name.to_uppercase(),
        version: "1".to_owned(),
        description: format!("All about {name}"),
        backend_url: "http://inside.example/".to_owned(),
        authentication: Authentication::Oauth2,
        scopes: Vec::new(),
        tags: vec![tag.to_owned()],
        document: Some(Document::pack(PETS.as_bytes(), "application/yaml").unwrap()),
        revision: Revision(1),
        commit: commit(),
    }
}

fn records<E: Event>(events: Vec<E>) -> Arc<dyn Records<E>> {
    let records: BTreeMap<_, _> =
        events.into_iter().map(|event| (event.key(), Arc::new(envelope(event)))).collect();
    Arc::new(records)
}

fn world() -> World {
    let tenant = |name: &str| CatalogTenant {
        tenant: name.parse().unwrap(),
        uid: Uuid::from_u128(1),
        display_name: name.to_uppercase(),
        description: String::new(),
        contact_email: None,
        environments: Vec::new(),
        lifecycle: TenantLifecycle::Active,
        revision: Revision(1),
        commit: commit(),
    };
    let catalogue = Catalogue {
        tenants: records(vec![tenant("acme"), tenant("globex")]),
        apis: records(vec![
            api("acme", "pets", "zoo"),
            api("acme", "cars", "road"),
            api("globex", "pets", "zoo"),
        ]),
        environments: records(vec![CatalogEnvironment {
            level: Level::Environment,
            environment: Some("dev".parse().unwrap()),
            tenant: None,
            variables: BTreeMap::new(),
            auto_deploy: true,
            revision: Revision(1),
            commit: commit(),
        }]),
        gateways: records(vec![CatalogGateway {
            environment: "dev".parse().unwrap(),
            gateway: "main".parse().unwrap(),
            kind: GatewayKind::Builtin,
            address: "http://gateway.example".to_owned(),
            revision: Revision(1),
            commit: commit(),
        }]),
    };
    let world = World::with(McpSettings::default(), catalogue);
    world.deploy(&world.route("acme", "pets", 1));
    world
}

async fn call(world: &World, token: &str, name: &str, arguments: Value) -> Value {
    let mut result = world.legacy(token, "tools/call", json!({"name": name, "arguments": arguments})).await;
    if result["isError"] == true {
        result["content"][0]["text"].take()
    } else {
        result["structuredContent"].take()
    }
}

#[actix_web::test]
async fn the_platform_tells_where_the_caller_is() {
    let world = world();
    assert_eq!(
        call(&world, &world.token("acme"), "stoa_platform_info", json!({})).await,
        json!({
            "platform": "STOA",
            "version": "0.1.0",
            "environment": "dev",
            "caller": {"username": "ada", "tenant": "acme"},
            "tenants": [{"name": "acme", "display_name": "ACME"}],
            "environments": ["dev"],
            "gateways": [{"environment": "dev", "name": "main", "kind": "builtin", "address": "http://gateway.example"}],
            "apis": {"declared": 2, "served_here": 1},
            "tools": 8,
        })
    );
    let root = call(&world, &world.administrator(), "stoa_platform_info", json!({})).await;
    assert_eq!((&root["apis"]["declared"], root["tenants"].as_array().unwrap().len()), (&json!(3), 2));
}

#[actix_web::test]
async fn apis_are_listed_filtered_and_page_by_page() {
    let world = world();
    let token = world.token("acme");
    let ids = |answer: &Value| -> Vec<String> {
        answer["apis"].as_array().unwrap().iter().map(|api| api["id"].as_str().unwrap().to_owned()).collect()
    };
    let all = call(&world, &token, "stoa_list_apis", json!({})).await;
    assert_eq!((ids(&all), &all["total"]), (vec!["acme/cars".to_owned(), "acme/pets".to_owned()], &json!(2)));
    assert_eq!(
        all["apis"][1],
        json!({
            "id": "acme/pets", "tenant": "acme", "name": "pets", "display_name": "PETS", "version": "1",
            "description": "All about pets", "tags": ["zoo"], "served_here": true, "tools": 8,
        })
    );
    let first = call(&world, &token, "stoa_list_apis", json!({"limit": 1})).await;
    assert_eq!((ids(&first), &first["next_cursor"]), (vec!["acme/cars".to_owned()], &json!("acme/cars")));
    let second = call(&world, &token, "stoa_list_apis", json!({"limit": 1, "cursor": "acme/cars"})).await;
    assert_eq!((ids(&second), second.get("next_cursor")), (vec!["acme/pets".to_owned()], None));
    for filter in [json!({"tag": "zoo"}), json!({"search": "ABOUT pets"})] {
        assert_eq!(ids(&call(&world, &token, "stoa_list_apis", filter).await), ["acme/pets"]);
    }
    let foreign = call(&world, &token, "stoa_list_apis", json!({"tenant_id": "globex"})).await;
    assert_eq!(foreign["total"], 0);
    let wrong = call(&world, &token, "stoa_list_apis", json!({"page": 2})).await;
    assert!(wrong.as_str().unwrap().contains("unknown field `page`"), "{wrong}");
}

#[actix_web::test]
async fn details_name_the_tools_and_bring_the_document_if_wanted() {
    let world = world();
    let token = world.token("acme");
    let details = call(&world, &token, "stoa_get_api_details", json!({"api_id": "pets"})).await;
    assert_eq!(
        (&details["id"], &details["generation"], &details["path"], details.get("document")),
        (&json!("acme/pets"), &json!("1.1"), &json!("/apis/acme/pets/"), None)
    );
    assert_eq!(
        details["tools"][0],
        json!({
            "name": "acme--pets--list", "title": "Lists pets", "method": "GET", "path": "/pets", "operation_id": "list",
        })
    );
    let with = json!({"api_id": "acme/cars", "include_document": true});
    let details = call(&world, &token, "stoa_get_api_details", with).await;
    assert_eq!((&details["served_here"], &details["document"]), (&json!(false), &json!(PETS)));
    assert!(!details.to_string().contains("inside.example"), "where a backend stands is not told");

    for (id, text) in [
        ("globex/pets", "You see no API `globex/pets`; stoa_list_apis tells which there are"),
        ("none", "You see no API `none`; stoa_list_apis tells which there are"),
    ] {
        assert_eq!(call(&world, &token, "stoa_get_api_details", json!({"api_id": id})).await, text);
    }
    let several =
        call(&world, &world.administrator(), "stoa_get_api_details", json!({"api_id": "pets"})).await;
    assert_eq!(several, "Several tenants have an API `pets`; write it as `tenant/pets`");
    let missing = call(&world, &token, "stoa_get_api_details", json!({})).await;
    assert!(missing.as_str().unwrap().contains("missing field `api_id`"), "{missing}");
}
