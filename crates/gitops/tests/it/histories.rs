//! Histories that mislead.

use gitops::{Effective, repository::Line};

use crate::support::{TENANT, World, check, steps, tenant};

fn plan(name: &str) -> (String, String) {
    let text = format!("apiVersion: stoa.io/v1\nkind: Plan\nmetadata: {{name: {name}}}\nspec: {{}}\n");
    (format!("plans/{name}.yaml"), text)
}

#[test]
fn commits_are_told_one_by_one_also_there_and_back() {
    let mut world = World::new();
    let first = world.commit(&[], &[(TENANT, Some(&tenant("a")))]);
    world.push(&first);
    assert_eq!(steps(&world.look()), [["+ tenants/acme"]]);

    let second = world.commit(&[&first], &[(TENANT, Some(&tenant("b")))]);
    let third = world.commit(&[&second], &[(TENANT, Some(&tenant("a")))]);
    world.push(&third);
    let followed = world.look();
    assert_eq!(steps(&followed), [["~ tenants/acme"], ["~ tenants/acme"]]);
    assert_eq!(followed.steps[0].commit.id, second);
    assert_eq!(world.look().line, Line::Same);
}

#[test]
fn what_is_added_and_removed_between_two_looks_is_told_and_gone() {
    let mut world = World::new();
    let first = world.commit(&[], &[(TENANT, Some(&tenant("a")))]);
    world.push(&first);
    world.look();
    let (path, text) = plan("gold");
    let second = world.commit(&[&first], &[(&path, Some(&text))]);
    let third = world.commit(&[&second], &[(&path, None)]);
    world.push(&third);
    assert_eq!(steps(&world.look()), [["+ plans/gold"], ["- plans/gold"]]);
}

#[test]
fn a_valid_version_between_two_looks_outlives_an_invalid_one_after_it() {
    let mut world = World::new();
    let first = world.commit(&[], &[(TENANT, Some(&tenant("a")))]);
    world.push(&first);
    world.look();
    let second = world.commit(&[&first], &[(TENANT, Some(&tenant("b")))]);
    let third = world.commit(&[&second], &[(TENANT, Some("nonsense: true"))]);
    world.push(&third);
    let followed = world.look();
    assert_eq!(followed.steps[1].problems.len(), 1);
    assert_eq!(world.state.tenant(&"acme".parse().unwrap()).unwrap().description, "b");
}

#[test]
fn a_pull_that_merges_before_the_push_undoes_nothing() {
    let mut world = World::new();
    let base = world.commit(&[], &[(TENANT, Some(&tenant("a")))]);
    world.push(&base);
    world.look();
    // Ada pushes; Grace, who began before, pulls (a merge with her own line first) and pushes.
    let (gold, gold_text) = plan("gold");
    let (silver, silver_text) = plan("silver");
    let adas = world.commit(&[&base], &[(&gold, Some(&gold_text))]);
    world.push(&adas);
    assert_eq!(steps(&world.look()), [["+ plans/gold"]]);
    let graces = world.commit(&[&base], &[(&silver, Some(&silver_text))]);
    let merge = world.commit(&[&graces, &adas], &[(&gold, Some(&gold_text))]);
    world.push(&merge);
    let followed = world.look();
    assert!(matches!(followed.line, Line::Merged(_)), "{:?}", followed.line);
    assert_eq!(steps(&followed), [["+ plans/silver"]]);
}

#[test]
fn a_merge_of_a_side_branch_is_one_change() {
    let mut world = World::new();
    let base = world.commit(&[], &[(TENANT, Some(&tenant("a")))]);
    world.push(&base);
    world.look();
    let (gold, text) = plan("gold");
    let side = world.commit(&[&base], &[(&gold, Some("half done"))]);
    let side = world.commit(&[&side], &[(&gold, Some(&text))]);
    let merge = world.commit(&[&base, &side], &[(&gold, Some(&text))]);
    world.push(&merge);
    let followed = world.look();
    assert_eq!(steps(&followed), [["+ plans/gold"]]);
    assert!(followed.steps[0].problems.is_empty());
}

#[test]
fn a_force_push_to_a_shorter_history_is_one_rewritten_step() {
    let mut world = World::new();
    let first = world.commit(&[], &[(TENANT, Some(&tenant("a")))]);
    let (gold, text) = plan("gold");
    let second = world.commit(&[&first], &[(&gold, Some(&text))]);
    let third = world.commit(&[&second], &[(TENANT, Some(&tenant("b")))]);
    world.push(&third);
    world.look();
    world.push(&first);
    let followed = world.look();
    assert!(matches!(followed.line, Line::Rewritten(_)), "{:?}", followed.line);
    assert_eq!(steps(&followed), [["- plans/gold", "~ tenants/acme"]]);
}

#[test]
fn three_hundred_commits_in_one_push_are_one_collapsed_step() {
    let mut world = World::new();
    let mut head = world.commit(&[], &[(TENANT, Some(&tenant("0")))]);
    world.push(&head);
    world.look();
    for count in 1..=200 {
        head = world.commit(&[&head], &[(TENANT, Some(&tenant(&count.to_string())))]);
    }
    world.push(&head);
    let two_hundred = world.look();
    assert_eq!(two_hundred.steps.len(), 200);
    for count in 201..=500 {
        head = world.commit(&[&head], &[(TENANT, Some(&tenant(&count.to_string())))]);
    }
    world.push(&head);
    let followed = world.look();
    assert!(matches!(followed.line, Line::TooLong(_)), "{:?}", followed.line);
    assert_eq!(steps(&followed), [["~ tenants/acme"]]);
    assert_eq!(world.state.tenant(&"acme".parse().unwrap()).unwrap().description, "500");
}

#[test]
fn a_restart_tells_the_same_step_again() {
    let mut world = World::new();
    let first =
        world.commit(&[], &[(TENANT, Some(&tenant("a"))), ("tenants/acme/users.yaml", Some("users: 1"))]);
    world.push(&first);
    world.look();
    let rows: Vec<_> = world.state.rows().map(|row| gitops::effective::Row::clone(row)).collect();
    let (gold, text) = plan("gold");
    let second =
        world.commit(&[&first], &[(&gold, Some(&text)), ("tenants/acme/users.yaml", Some("users: []"))]);
    world.push(&second);
    let told = steps(&world.look());
    let resumed = Effective::resume(Some(first), rows, &world.mirror).unwrap();
    assert_eq!(steps(&world.follow_from(&resumed, &second)), told);
    assert_eq!(told, [["+ plans/gold", "+ tenants/acme/users"]]);
}

#[test]
fn a_stricter_validator_keeps_what_is_served_and_says_so() {
    let mut world = World::new();
    let first = world.commit(
        &[],
        &[
            (TENANT, Some(&tenant("a"))),
            ("tenants/acme/apis/pets/api.yaml", Some("name: pets\nbackend_url: http://a\n")),
            ("tenants/acme/apis/pets/openapi.yaml", Some("openapi: 3.1.0")),
        ],
    );
    world.push(&first);
    world.look();
    let tree = world.mirror.tree(&first).unwrap();
    let strict = |_: &[u8]| Err("too old".to_owned());
    let again = world.state.advance_to_tree(&first, &tree, true, &world.mirror, &strict).unwrap();
    assert_eq!(again.problems.len(), 1);
    assert_eq!(gitops::effective::changes(&world.state, &again.effective).len(), 0);
    let mended = again.effective.advance_to_tree(&first, &tree, true, &world.mirror, &check).unwrap();
    assert_eq!(mended.effective.problems().count(), 0);
}

#[test]
fn a_rollback_pins_content_that_was_there_and_nothing_else() {
    let mut world = World::new();
    let gateway = "apiVersion: stoa.io/v1\nkind: Gateway\nmetadata: {name: builtin}\n\
                   spec: {type: builtin, address: 'http://g'}";
    let pin = |commit: &str| {
        format!("apiVersion: stoa.io/v1\nkind: Deployment\nspec:\n  pin: {commit}\n  gateways: [builtin]\n")
    };
    let first = world.commit(
        &[],
        &[
            (TENANT, Some(&tenant("a"))),
            ("environments/dev/config.yaml", Some("environment: dev")),
            ("environments/dev/gateways/builtin.yaml", Some(gateway)),
            ("tenants/acme/apis/pets/api.yaml", Some("name: pets\nversion: '1'\nbackend_url: http://a\n")),
            ("tenants/acme/apis/pets/openapi.yaml", Some("openapi: 3.1.0")),
        ],
    );
    let path = "tenants/acme/apis/pets/deployments/dev.yaml";
    let second = world.commit(
        &[&first],
        &[
            ("tenants/acme/apis/pets/api.yaml", Some("name: pets\nversion: '2'\nbackend_url: http://a\n")),
            (path, Some(&pin(first.as_str()))),
        ],
    );
    world.push(&second);
    assert_eq!(world.look().steps[0].problems, []);
    let (tenant, api) = ("acme".parse().unwrap(), "pets".parse().unwrap());
    assert_eq!(world.mirror.api_at(&first, &second, &tenant, &api).unwrap().api.version, "1");

    let elsewhere = world.commit(&[], &[(TENANT, Some("id: acme"))]);
    let third = world.commit(&[&second], &[(path, Some(&pin(elsewhere.as_str())))]);
    world.push(&third);
    let told = world.look().steps[0].problems[0].to_string();
    assert!(told.contains("is not in the history of the branch"), "{told}");
}

#[test]
fn a_branch_that_is_deleted_or_empty_has_no_head() {
    let world = World::new();
    assert_eq!(world.mirror.fetch().unwrap(), None);
    let first = world.commit(&[], &[(TENANT, Some(&tenant("a")))]);
    world.push(&first);
    assert_eq!(world.mirror.fetch().unwrap(), Some(first));
    world.remote().find_reference(crate::support::REFERENCE).unwrap().delete().unwrap();
    assert_eq!(world.mirror.fetch().unwrap(), None);
}
