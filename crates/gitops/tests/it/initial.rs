//! A new repository.

use gitops::{Author, Initial};

use crate::support::{World, at, steps};

#[test]
fn a_new_repository_is_valid_and_holds_the_platform() {
    let mut world = World::new();
    let uid = "0198c0de-0000-7000-8000-000000000001".parse().unwrap();
    let initial = Initial::usual("example.com", "http://127.0.0.1:8080", "root@example.com", uid);
    let author =
        Author { name: "STOA".to_owned(), email: "root@example.com".to_owned(), at: at(1_700_000_000) };
    world.writer().commit(None, &initial.files(), &author, "Begin", "init").unwrap();
    let followed = world.look();
    assert_eq!(followed.steps[0].problems, []);
    insta::assert_snapshot!(steps(&followed)[0].join("\n"), @r"
    + defaults
    + environments/dev
    + environments/prod
    + environments/staging
    + environments/dev/gateways/builtin
    + environments/prod/gateways/builtin
    + environments/staging/gateways/builtin
    + plans/free
    + plans/standard
    + plans/unlimited
    + tenants/stoa
    + tenants/stoa/users
    ");
    let tree = world.mirror.tree(world.state.commit().unwrap()).unwrap();
    let text = |path: &str| String::from_utf8(world.mirror.read(&tree[path]).unwrap()).unwrap();
    insta::assert_snapshot!(text("environments/dev/config.yaml"));
    insta::assert_snapshot!(text("tenants/stoa/tenant.yaml"));
}
