//! What may be added, and what is refused.

use serde_json::json;

use super::{
    Otherwise,
    asked::{ID, ID_AND_NOTE, NUMBER, Registry, order, refused},
};

const AFFIRMED: fn() -> (u16, serde_json::Value) = || (200, json!({ "is_compatible": true }));
const DENIED: fn() -> (u16, serde_json::Value) = || (200, json!({ "is_compatible": false }));

pub(crate) async fn it_begins_empty_and_the_level_is_full_transitive(registry: &Registry) {
    assert_eq!(registry.get("/subjects").await, (200, json!([])));
    assert_eq!(registry.get("/mode").await, (200, json!({ "mode": "READWRITE" })));
    let (_, types) = registry.get("/schemas/types").await;
    assert!(types.as_array().unwrap().contains(&json!("AVRO")), "{types}");

    let level = |level: &str| (200, json!({ "compatibilityLevel": level }));
    let first = if registry.is(Otherwise::StartsWithoutLevel) { "NONE" } else { "FULL_TRANSITIVE" };
    assert_eq!(registry.get("/config").await, level(first));
    let (status, set) = registry.put("/config", json!({ "compatibility": "FULL_TRANSITIVE" })).await;
    assert_eq!((status, &set["compatibility"]), (200, &json!("FULL_TRANSITIVE")));
    assert_eq!(registry.get("/config").await, level("FULL_TRANSITIVE"));
    refused(&registry.put("/config", json!({ "compatibility": "SOMETIMES" })).await, 42203, "no level");
    assert_eq!(registry.get("/config").await, level("FULL_TRANSITIVE"));
}

pub(crate) async fn a_version_that_another_cannot_read_is_a_conflict(registry: &Registry) {
    registry.accepts("orders-value", ID).await;
    // Another type, a new field that older records lack, a field gone that older readers need.
    for breaking in [NUMBER, &format!(r#"{ID},{{"name":"weight","type":"int"}}"#), ""] {
        registry.conflicts("orders-value", breaking).await;
    }
    assert_eq!(registry.get("/subjects/orders-value/versions").await, (200, json!([1])));
    registry.accepts("orders-value", ID_AND_NOTE).await;
    // Known versions stay welcome.
    registry.accepts("orders-value", ID).await;
    assert_eq!(registry.get("/subjects/orders-value/versions").await, (200, json!([1, 2])));
}

/// The third version reads the second and is read by it, but not the first.
pub(crate) async fn every_earlier_version_counts(registry: &Registry) {
    let count = format!(r#"{ID},{{"name":"mark","type":"int","default":0}}"#);
    let text = format!(r#"{ID},{{"name":"mark","type":"string","default":""}}"#);
    registry.accepts("marks-value", &count).await;
    registry.accepts("marks-value", ID).await;
    registry.conflicts("marks-value", &text).await;
    // With the level of the newest two alone it would be taken.
    registry.put("/config/marks-value", json!({ "compatibility": "FULL" })).await;
    registry.accepts("marks-value", &text).await;
}

pub(crate) async fn a_check_says_what_a_registration_would(registry: &Registry) {
    for against in ["versions/latest", "versions/1", "versions"] {
        let path = format!("orders-value/{against}");
        assert_eq!(registry.check(&path, ID_AND_NOTE).await, AFFIRMED(), "{against}");
        assert_eq!(registry.check(&path, NUMBER).await, DENIED(), "{against}");
    }
    assert_eq!(registry.get("/subjects/orders-value/versions").await, (200, json!([1, 2])));
    refused(&registry.check("orders-value/versions/7", ID).await, 40402, "an unknown version");

    // A first version goes together with everything.
    assert_eq!(registry.check("nothing/versions/latest", ID).await, AFFIRMED());
    let unknown = registry.check("nothing/versions", ID).await;
    if registry.is(Otherwise::ChecksKnownSubjectsOnly) {
        refused(&unknown, 40401, "an unknown subject");
    } else {
        assert_eq!(unknown, AFFIRMED());
    }

    let (status, reasons) = registry.check("orders-value/versions/latest?verbose=true", NUMBER).await;
    if registry.is(Otherwise::GivesNoReasons) {
        assert_eq!((status, reasons), DENIED());
    } else {
        assert_eq!((status, &reasons["is_compatible"]), (200, &json!(false)));
        assert!(reasons["messages"].as_array().is_some_and(|messages| !messages.is_empty()), "{reasons}");
    }
}

pub(crate) async fn a_subject_may_have_a_level_of_its_own(registry: &Registry) {
    registry.accepts("loose-value", ID).await;
    let (own, default, mode) = (
        registry.get("/config/loose-value").await,
        registry.get("/config/unheard-of?defaultToGlobal=true").await,
        registry.get("/mode/loose-value").await,
    );
    if registry.is(Otherwise::HidesWhetherASubjectHasItsOwn) {
        assert_eq!(own, (200, json!({ "compatibilityLevel": "NONE" })));
        refused(&default, 40401, "the level of all");
        assert_eq!(mode, (200, json!({ "mode": "READWRITE" })));
    } else {
        refused(&own, 40408, "a level of its own");
        assert_eq!(default, (200, json!({ "compatibilityLevel": "FULL_TRANSITIVE" })));
        refused(&mode, 40409, "a mode of its own");
    }
    registry.conflicts("loose-value", NUMBER).await;

    let (status, set) = registry.put("/config/loose-value", json!({ "compatibility": "NONE" })).await;
    assert_eq!((status, &set["compatibility"]), (200, &json!("NONE")));
    let level = registry.get("/config/loose-value").await;
    assert_eq!(level, (200, json!({ "compatibilityLevel": "NONE" })));
    registry.accepts("loose-value", NUMBER).await;
    // The others keep theirs.
    registry.conflicts("orders-value", NUMBER).await;
}

pub(crate) async fn what_is_no_avro_schema_is_refused(registry: &Registry) {
    for schema in ["{", "{}", r#"{"type":"nothing"}"#, r#"{"type":"record","name":"A"}"#] {
        let answer = registry.post("/subjects/bad-value/versions", json!({ "schema": schema })).await;
        refused(&answer, 42201, schema);
    }
    refused(&registry.get("/subjects/bad-value/versions").await, 40401, "nothing of it is kept");

    let empty = registry.post("/subjects/empty-value/versions", json!({ "schema": "" })).await;
    if registry.is(Otherwise::TakesAnEmptySchema) {
        assert_eq!(empty, (200, json!({ "id": empty.1["id"] })));
    } else {
        refused(&empty, 42201, "an empty schema");
    }
}

pub(crate) async fn ids_are_given_in_import_mode(registry: &Registry) {
    let mode = |mode: &str| json!({ "mode": mode });
    assert_eq!(registry.put("/mode/imports-value", mode("IMPORT")).await, (200, mode("IMPORT")));
    let mut body = order(r#"{"name":"import","type":"string"}"#);
    body["id"] = json!(70_000);
    body["version"] = json!(1);
    let (status, answer) = registry.post("/subjects/imports-value/versions", body).await;
    let id = answer["id"].as_i64().unwrap();
    assert_eq!((status, id == 70_000), (200, !registry.is(Otherwise::GivesItsOwnIds)), "{answer}");
    assert_eq!(registry.put("/mode/imports-value", mode("READWRITE")).await, (200, mode("READWRITE")));

    let (status, version) = registry.get("/subjects/imports-value/versions/1").await;
    assert_eq!((status, &version["id"]), (200, &json!(id)));
    // What it numbers itself comes after everything that is there.
    let next = registry.accepts("after-value", r#"{"name":"after","type":"string"}"#).await;
    assert!(next > id, "{next} after {id}");
}
