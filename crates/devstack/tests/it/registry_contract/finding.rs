//! What was registered is found again.

use futures_util::future::join_all;
use serde_json::json;

use super::{
    Otherwise,
    asked::{ID, ID_AND_NOTE, NUMBER, Registry, order, refused},
};

pub(crate) async fn a_schema_is_registered_once_whoever_registers_it(registry: &Registry) {
    let first = registry.accepts("once-value", ID).await;
    assert_eq!(registry.accepts("once-value", ID).await, first);
    // Other spaces, another order of keys.
    let same = json!({ "schema": format!(r#" {{ "name": "Order", "fields": [{ID}], "type": "record" }}"#) });
    assert_eq!(registry.post("/subjects/once-value/versions", same).await, (200, json!({ "id": first })));
    // Another subject.
    assert_eq!(registry.accepts("twice-value", ID).await, first);
    let second = registry.accepts("once-value", ID_AND_NOTE).await;
    assert_ne!(second, first);

    let at_once = join_all((0..8).map(|_| registry.accepts("crowd-value", NUMBER))).await;
    assert!(at_once.iter().all(|id| *id == at_once[0] && *id > second), "{at_once:?} after {second}");
    assert_eq!(registry.get("/subjects/crowd-value/versions").await, (200, json!([1])));
}

pub(crate) async fn a_schema_is_found_by_id_version_and_text(registry: &Registry) {
    let first = registry.accepts("once-value", ID).await;
    let second = registry.accepts("once-value", ID_AND_NOTE).await;
    let (status, subjects) = registry.get("/subjects").await;
    assert_eq!(status, 200);
    for subject in ["crowd-value", "once-value", "twice-value"] {
        let named = subjects.as_array().unwrap().iter().filter(|name| *name == subject);
        assert_eq!(named.count(), 1, "{subject} in {subjects}");
    }
    assert_eq!(registry.get("/subjects/once-value/versions").await, (200, json!([1, 2])));

    let text = &order(ID)["schema"];
    let one = json!({ "subject": "once-value", "version": 1, "id": first, "schema": text });
    let newer = &order(ID_AND_NOTE)["schema"];
    let two = json!({ "subject": "once-value", "version": 2, "id": second, "schema": newer });
    assert_eq!(registry.get("/subjects/once-value/versions/1").await, (200, one.clone()));
    for latest in ["2", "latest", "-1"] {
        let path = format!("/subjects/once-value/versions/{latest}");
        assert_eq!(registry.get(&path).await, (200, two.clone()), "{latest}");
    }
    assert_eq!(registry.post("/subjects/once-value", order(ID)).await, (200, one));
    assert_eq!(registry.post("/subjects/once-value", order(ID_AND_NOTE)).await, (200, two));

    let parsed: serde_json::Value = serde_json::from_str(newer.as_str().unwrap()).unwrap();
    assert_eq!(registry.get("/subjects/once-value/versions/latest/schema").await, (200, parsed));
    assert_eq!(registry.get(&format!("/schemas/ids/{first}")).await, (200, json!({ "schema": text })));
    assert_eq!(registry.get(&format!("/schemas/ids/{second}")).await, (200, json!({ "schema": newer })));
    let places = json!([
        { "subject": "once-value", "version": 1 },
        { "subject": "twice-value", "version": 1 },
    ]);
    assert_eq!(registry.get(&format!("/schemas/ids/{first}/versions")).await, (200, places));
    let using = json!(["once-value", "twice-value"]);
    assert_eq!(registry.get(&format!("/schemas/ids/{first}/subjects")).await, (200, using));
}

pub(crate) async fn what_is_not_there_has_its_code(registry: &Registry) {
    let zero = if registry.is(Otherwise::TakesVersionZero) { 40402 } else { 42202 };
    for (path, code) in [
        ("/subjects/nothing/versions", 40401),
        ("/subjects/nothing/versions/1", 40401),
        ("/subjects/nothing/versions/latest", 40401),
        ("/subjects/once-value/versions/7", 40402),
        ("/subjects/once-value/versions/0", zero),
        ("/schemas/ids/9999", 40403),
        ("/schemas/ids/9999/versions", 40403),
        ("/schemas/ids/9999/subjects", 40403),
    ] {
        refused(&registry.get(path).await, code, path);
    }
    refused(&registry.post("/subjects/once-value", order(NUMBER)).await, 40403, "another schema");
    refused(&registry.post("/subjects/nothing", order(ID)).await, 40401, "another subject");
}
