//! Well-known public documents of different size, dialect and notation, carried through the whole platform.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::json;

use crate::{
    backend::BACKEND,
    harness::{shared, skipped},
    waiting::eventually,
};

/// The API's name, the document, and one of its operations as a tool.
const DOCUMENTS: [(&str, &str, &str); 7] = [
    ("pets-swagger", "2.0/json/petstore.json", "addPet"),
    ("pets", "3.0/json/petstore.json", "findPetsByStatus"),
    ("pets-yaml", "3.0/yaml/petstore.yaml", "getPetById"),
    ("star-trek", "3.0/json/star-trek.json", ""),
    ("uspto", "3.0/json/uspto.json", "perform-search"),
    ("trains", "3.1/json/train-travel.json", "get-stations"),
    ("readme", "3.1/json/readme.json", ""),
];

#[tokio::test]
async fn public_documents_of_every_dialect_become_tools() {
    let Some(folder) = std::env::var_os("STOA_OAS_EXAMPLES") else {
        return skipped("public documents: STOA_OAS_EXAMPLES names no folder");
    };
    let Some(session) = shared().await else { return };
    for (api, document, _) in DOCUMENTS {
        let text = fs::read_to_string(Path::new(&folder).join(document)).unwrap();
        let body = json!({
            "name": api,
            "display_name": document,
            "backend_url": format!("{}/{api}", *BACKEND),
            "openapi": text,
        });
        session.post("gina", "/v1/tenants/globex/apis", &body).await.expect(201);
        // It is given back as it was written.
        let given = session.get("gina", &format!("/v1/tenants/globex/apis/{api}/openapi")).await;
        assert_eq!((given.status.as_u16(), given.text.as_str()), (200, text.as_str()), "{document}");
    }
    for (api, document, operation) in DOCUMENTS {
        let status = eventually(&format!("{document} is deployed"), async || {
            let path = format!("/v1/tenants/globex/deployments?api={api}");
            let newest = session.list("gina", &path).await.first()?.clone();
            newest["completed_at"].is_string().then(|| newest["status"].clone())
        })
        .await;
        assert_eq!(status, "succeeded", "{document}");
        let prefix = format!("globex--{api}--");
        eventually(&format!("{document} is offered as tools"), async || {
            let tools = session.tools("gina", &prefix).await;
            let own: BTreeSet<&str> = tools.iter().filter_map(|name| name.strip_prefix(&prefix)).collect();
            (!own.is_empty() && (operation.is_empty() || own.contains(operation))).then_some(())
        })
        .await;
    }
}
