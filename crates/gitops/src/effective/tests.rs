//! Decisions about single histories.

mod branch;
mod properties;

use domain::name::PlanName;

use self::branch::{Branch, told};
use super::*;

#[test]
fn a_tenant_its_api_and_deployment_in_one_commit_come_in_their_order() {
    let mut branch = Branch::new();
    let before = branch.state.clone();
    branch.api("pets", "http://a");
    branch.deployment("pets");
    branch.tenant("globex");
    assert_eq!(branch.commit(), [""; 0]);
    let after = branch.state.clone();
    let there = told(&changes(&before, &after));
    assert_eq!(
        there,
        ["+ tenants/globex", "+ tenants/acme/apis/pets", "+ tenants/acme/apis/pets/deployments/dev"]
    );
    let back = told(&changes(&after, &before));
    assert_eq!(
        back,
        ["- tenants/acme/apis/pets/deployments/dev", "- tenants/acme/apis/pets", "- tenants/globex"]
    );
}

#[test]
fn an_invalid_file_keeps_its_former_content_and_the_rest_takes_effect() {
    let mut branch = Branch::new();
    for index in 0..50 {
        branch.tenant(&format!("tenant-{index:02}"));
    }
    branch.commit();
    let before = branch.state.clone();
    for index in 0..50 {
        let name = format!("tenant-{index:02}");
        branch.put(&format!("tenants/{name}/tenant.yaml"), &format!("id: {name}\ndescription: new\n"));
    }
    branch.put("tenants/tenant-17/tenant.yaml", "id: tenant-17\ndescripton: new\n");
    assert_eq!(
        branch.commit(),
        [
            "tenants/tenant-17/tenant.yaml:2:1: `descripton`: unknown field `descripton`; did you mean `description`?"
        ]
    );
    assert_eq!(changes(&before, &branch.state).len(), 49);
    assert_eq!(branch.standing("tenants/tenant-17/tenant.yaml"), Some(Standing::Kept));
    // The next commit does not tell it again; mending it does what it says.
    branch.tenant("other");
    assert_eq!(branch.commit(), [""; 0]);
    branch.put("tenants/tenant-17/tenant.yaml", "id: tenant-17\ndescription: new\n");
    assert_eq!(branch.commit(), [""; 0]);
    assert_eq!(branch.standing("tenants/tenant-17/tenant.yaml"), Some(Standing::Current));
}

#[test]
fn a_document_of_another_tenant_is_refused() {
    let mut branch = Branch::new();
    let text = "apiVersion: stoa.io/v1\nkind: API\nmetadata: {name: pets, tenant: globex}\n\
                spec: {backend: {url: 'http://a'}}";
    branch.put("tenants/acme/apis/pets/api.yaml", text);
    branch.put("tenants/acme/apis/pets/openapi.yaml", "openapi: 3.1.0");
    assert_eq!(
        branch.commit(),
        [
            "tenants/acme/apis/pets/api.yaml:3:24: `metadata.tenant`: the document says `globex`, its path says `acme`"
        ]
    );
    assert_eq!(branch.standing("tenants/acme/apis/pets/api.yaml"), Some(Standing::Refused));
}

#[test]
fn what_is_still_referred_to_stays_and_goes_with_its_last_referrer() {
    let mut branch = Branch::new();
    branch.api("pets", "http://a");
    branch.deployment("pets");
    branch.commit();
    branch.remove("tenants/acme/apis/pets/api.yaml");
    branch.remove("tenants/acme/apis/pets/openapi.yaml");
    assert_eq!(
        branch.commit(),
        [
            "tenants/acme/apis/pets/api.yaml: the file was removed, but stays in effect: \
             tenants/acme/apis/pets/deployments/dev refers to it",
            "tenants/acme/apis/pets/openapi.yaml: the file was removed, but stays in effect: \
             tenants/acme/apis/pets refers to it",
        ]
    );
    assert_eq!(branch.standing("tenants/acme/apis/pets/api.yaml"), Some(Standing::Orphaned));
    let api = branch.state.get(&"tenants/acme/apis/pets".parse().unwrap()).unwrap();
    assert_eq!(api.orphaned_by, ["tenants/acme/apis/pets/deployments/dev".parse().unwrap()]);
    let before = branch.state.clone();
    branch.remove("tenants/acme/apis/pets");
    branch.commit();
    assert_eq!(
        told(&changes(&before, &branch.state)),
        ["- tenants/acme/apis/pets/deployments/dev", "- tenants/acme/apis/pets"]
    );
    assert_eq!(branch.state.rows().filter(|row| row.path.contains("pets")).count(), 0);
}

#[test]
fn a_deployment_waits_for_what_it_refers_to() {
    let mut branch = Branch::new();
    branch.deployment("pets");
    assert_eq!(
        branch.commit(),
        ["tenants/acme/apis/pets/deployments/dev.yaml: there is no API `tenants/acme/apis/pets`"]
    );
    branch.api("pets", "http://a");
    assert_eq!(branch.commit(), [""; 0]);
    assert!(branch.keys().contains(&"tenants/acme/apis/pets/deployments/dev".to_owned()));
    assert_eq!(branch.standing("tenants/acme/apis/pets/deployments/dev.yaml"), Some(Standing::Current));
}

#[test]
fn an_api_needs_a_valid_openapi_document() {
    let mut branch = Branch::new();
    branch.put("tenants/acme/apis/pets/api.yaml", "name: pets\nbackend_url: http://a\n");
    assert_eq!(
        branch.commit(),
        ["tenants/acme/apis/pets/api.yaml: there is no OpenAPI document of `tenants/acme/apis/pets`"]
    );
    branch.put("tenants/acme/apis/pets/openapi.json", "{}");
    assert_eq!(
        branch.commit(),
        [
            "tenants/acme/apis/pets/api.yaml: the OpenAPI document of `tenants/acme/apis/pets` is not valid",
            "tenants/acme/apis/pets/openapi.json: no OpenAPI document",
        ]
    );
    branch.put("tenants/acme/apis/pets/openapi.json", "openapi");
    assert_eq!(branch.commit(), [""; 0]);
    // A broken one later leaves the former in effect, and the API takes its own changes.
    branch.put("tenants/acme/apis/pets/openapi.json", "{}");
    branch.put("tenants/acme/apis/pets/api.yaml", "name: pets\nbackend_url: http://b\n");
    assert_eq!(branch.commit().len(), 1);
    let (api, declared) = branch.state.api(&"acme".parse().unwrap(), &"pets".parse().unwrap()).unwrap();
    assert_eq!(api.backend.url, "http://b");
    assert_eq!(branch.blobs.0[&declared.openapi.as_ref().unwrap().origin.blob], b"openapi");
}

#[test]
fn an_openapi_document_may_change_its_notation() {
    let mut branch = Branch::new();
    branch.api("pets", "http://a");
    branch.commit();
    branch.remove("tenants/acme/apis/pets/openapi.yaml");
    branch.put("tenants/acme/apis/pets/openapi.json", "openapi in json");
    assert_eq!(branch.commit(), [""; 0]);
    let api = branch.state.get(&"tenants/acme/apis/pets".parse().unwrap()).unwrap();
    assert_eq!(&*api.openapi.as_ref().unwrap().path, "tenants/acme/apis/pets/openapi.json");
    branch.put("tenants/acme/apis/pets/openapi.yaml", "openapi in yaml");
    assert_eq!(
        branch.commit(),
        [
            "tenants/acme/apis/pets/openapi.json: `tenants/acme/apis/pets/openapi.yaml` says the same, and is read instead"
        ]
    );
}

#[test]
fn an_email_and_a_uid_belong_to_one() {
    let mut branch = Branch::new();
    branch.tenant("globex");
    branch.put("tenants/acme/users.yaml", "users: [{email: ada@x.org}]");
    branch.commit();
    branch.put("tenants/globex/users.yaml", "users: [{email: Ada@x.org}]");
    assert_eq!(
        branch.commit(),
        ["tenants/globex/users.yaml: `spec.users`: e-mail `ada@x.org` belongs to tenant `acme`"]
    );
    // Moving it in one commit is fine.
    branch.put("tenants/acme/users.yaml", "users: []");
    branch.put("tenants/globex/users.yaml", "users: [{email: ada@x.org}]");
    assert_eq!(branch.commit(), [""; 0]);

    let uid = "0198c0de-0000-7000-8000-000000000001";
    for name in ["pets", "cats"] {
        branch.api(name, "http://a");
        let text = format!("id: {uid}\nname: {name}\nbackend_url: http://a\n");
        branch.put(&format!("tenants/acme/apis/{name}/api.yaml"), &text);
    }
    assert_eq!(
        branch.commit(),
        [format!(
            "tenants/acme/apis/pets/api.yaml: `metadata.uid`: uid `{uid}` belongs to `tenants/acme/apis/cats`"
        )]
    );
}

#[test]
fn a_uid_does_not_change() {
    let mut branch = Branch::new();
    branch.api("pets", "http://a");
    branch.commit();
    let uid = "0198c0de-0000-7000-8000-000000000001";
    let text = format!("id: {uid}\nname: pets\nbackend_url: http://b\n");
    branch.put("tenants/acme/apis/pets/api.yaml", &text);
    let problems = branch.commit();
    assert!(problems[0].contains("cannot become"), "{problems:?}");
    assert_eq!(branch.standing("tenants/acme/apis/pets/api.yaml"), Some(Standing::Kept));
}

#[test]
fn a_way_there_and_back_is_two_changes_and_a_blob_of_the_past_is_new_again() {
    let mut branch = Branch::new();
    branch.api("pets", "http://a");
    branch.commit();
    let first = branch.state.clone();
    branch.api("pets", "http://b");
    branch.commit();
    let second = branch.state.clone();
    branch.api("pets", "http://a");
    branch.commit();
    assert_eq!(told(&changes(&first, &second)), ["~ tenants/acme/apis/pets"]);
    assert_eq!(told(&changes(&second, &branch.state)), ["~ tenants/acme/apis/pets"]);
    assert_eq!(told(&changes(&first, &branch.state)), [""; 0]);
    let origin = |state: &Effective| state.rows["tenants/acme/apis/pets/api.yaml"].effective.clone().unwrap();
    assert_ne!(origin(&first).commit, origin(&branch.state).commit);
}

#[test]
fn a_typo_in_a_folder_is_a_warning() {
    let mut branch = Branch::new();
    branch.put("tenants/acme/apis/pets/deployment/dev.yaml", "kind: Deployment");
    branch.put("tenants/Globex/tenant.yaml", "id: Globex");
    let problems = branch.commit();
    assert_eq!(problems.len(), 2);
    let severities: Vec<_> = branch.state.problems().map(|problem| problem.severity).collect();
    assert_eq!(severities, [crate::Severity::Error, crate::Severity::Warning]);
    branch.remove("tenants/Globex");
    branch.remove("tenants/acme/apis/pets");
    assert_eq!(branch.commit(), [""; 0]);
    assert_eq!(branch.state.problems().count(), 0);
}

#[test]
fn what_a_variable_touches_is_known() {
    let mut branch = Branch::new();
    for name in ["cats", "dogs"] {
        branch.api(name, "http://a");
        branch.deployment(name);
    }
    branch.commit();
    let before = branch.state.clone();
    branch.put("environments/dev/config.yaml", "environment: dev\nvariables: {BACKEND_TIMEOUT: 5}");
    branch.commit();
    assert_eq!(touched_deployments(&changes(&before, &branch.state), &branch.state).len(), 2);
    let before = branch.state.clone();
    branch.api("dogs", "http://b");
    branch.put("plans/gold.yaml", "apiVersion: stoa.io/v1\nkind: Plan\nmetadata: {name: gold}\nspec: {}");
    branch.commit();
    let touched = touched_deployments(&changes(&before, &branch.state), &branch.state);
    assert_eq!(touched, ["tenants/acme/apis/dogs/deployments/dev".parse().unwrap()].into());
    assert!("gold".parse::<PlanName>().is_ok());
}

#[test]
fn rows_survive_serialisation() {
    let mut branch = Branch::new();
    branch.api("pets", "http://a");
    branch.deployment("pets");
    branch.commit();
    branch.remove("tenants/acme/apis/pets/api.yaml");
    branch.put("tenants/acme/tenant.yaml", "nonsense");
    branch.commit();
    let rows: Vec<Row> = branch.state.rows().map(|row| Row::clone(row)).collect();
    let text = serde_yaml::to_string(&rows).unwrap();
    assert_eq!(serde_yaml::from_str::<Vec<Row>>(&text).unwrap(), rows);
}
