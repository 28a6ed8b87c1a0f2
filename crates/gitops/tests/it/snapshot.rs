//! A large repository.

use std::collections::BTreeMap;

use gitops::{Author, Files};

use crate::support::{TENANT, World, at, tenant};

#[test]
fn three_thousand_apis_are_read_in_one_step() {
    let mut world = World::new();
    let mut files: Files = BTreeMap::from([(TENANT.to_owned(), Some(tenant("a").into_bytes()))]);
    for index in 0..3_000 {
        let folder = format!("tenants/acme/apis/api-{index:04}");
        let api = format!("name: api-{index:04}\nbackend_url: http://a/{index}\n");
        files.insert(format!("{folder}/api.yaml"), Some(api.into_bytes()));
        files.insert(format!("{folder}/openapi.yaml"), Some(b"openapi: 3.1.0".to_vec()));
    }
    files.insert("tenants/acme/apis/api-1234/api.yaml".to_owned(), Some(b"name: [".to_vec()));
    let author = Author { name: "Ada".to_owned(), email: "ada@x.org".to_owned(), at: at(1_700_000_000) };
    world.writer().commit(None, &files, &author, "Import", "req").unwrap();
    let followed = world.look();
    assert_eq!(followed.steps[0].changes.len(), 3_000);
    assert_eq!(followed.steps[0].problems.len(), 1);
    assert_eq!(followed.steps[0].problems[0].path, "tenants/acme/apis/api-1234/api.yaml");
}
