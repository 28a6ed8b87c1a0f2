//! Snapshot and difference of a repository with 10,000 APIs.

use std::{collections::BTreeMap, hint::black_box};

use criterion::{Criterion, criterion_group, criterion_main};
use domain::id::CommitId;
use gitops::{
    Author, Effective, Files, Remote, Repository, Trailers, Writer,
    effective::{Row, changes},
};
use jiff::Timestamp;
use secrecy::SecretSlice;

const APIS: usize = 10_000;

fn check(bytes: &[u8]) -> Result<(), String> {
    if bytes.is_empty() { Err("empty".to_owned()) } else { Ok(()) }
}

fn api(index: usize, description: &str) -> Vec<u8> {
    format!(
        "apiVersion: stoa.io/v1\nkind: API\nmetadata:\n  name: api-{index:05}\n  tenant: acme\n  version: 1.0.0\n\
         spec:\n  displayName: API {index}\n  description: {description}\n  backend:\n    url: https://b/{index}\n    \
         timeout: ${{BACKEND_TIMEOUT:30}}\n  authentication:\n    type: oauth2\n    oauth2:\n      scopes: [read]\n  \
         policies:\n    rateLimiting:\n      requestsPerMinute: 100\n      burstLimit: 20\n"
    )
    .into_bytes()
}

/// A mirror of a repository with two commits, of which the second changes one API.
fn repository(folder: &std::path::Path) -> (Repository, CommitId, CommitId) {
    let remote = folder.join("remote.git");
    Repository::create_remote(&remote, "main").expect("a remote");
    let mirror =
        Repository::open_or_create(Remote::at(remote.display().to_string()), &folder.join("mirror.git"))
            .expect("a mirror");
    let writer = Writer::new(mirror.clone(), Trailers::new(&SecretSlice::from(vec![7; 32])));
    let author = Author { name: "Ada".to_owned(), email: "ada@x.org".to_owned(), at: Timestamp::UNIX_EPOCH };
    let mut files: Files = BTreeMap::new();
    files.insert("tenants/acme/tenant.yaml".to_owned(), Some(b"id: acme\n".to_vec()));
    for index in 0..APIS {
        let folder = format!("tenants/acme/apis/api-{index:05}");
        files.insert(format!("{folder}/api.yaml"), Some(api(index, "first")));
        let openapi = format!("openapi: 3.1.0\ninfo: {{title: {index}, version: '1'}}\npaths: {{}}\n");
        files.insert(format!("{folder}/openapi.yaml"), Some(openapi.into_bytes()));
    }
    let first = writer.commit(None, &files, &author, "Import", "one").expect("the first commit");
    let path = "tenants/acme/apis/api-04242/api.yaml".to_owned();
    let files: Files = BTreeMap::from([(path, Some(api(4_242, "second")))]);
    let second = writer.commit(Some(&first), &files, &author, "Change", "two").expect("the second commit");
    mirror.fetch().expect("a fetch");
    (mirror, first, second)
}

fn snapshot(criterion: &mut Criterion) {
    let folder = tempfile::TempDir::new().expect("a folder");
    let (mirror, first, second) = repository(folder.path());
    let read = || {
        let tree = mirror.tree(&first).expect("a tree");
        Effective::default()
            .advance_to_tree(&first, &tree, false, &mirror, &check)
            .expect("a snapshot")
            .effective
    };
    let before = read();
    let step = || {
        let changed = mirror.changes(Some(&first), &second).expect("changes");
        before
            .advance(&second, &changed, gitops::effective::Span::Commit, &mirror, &check)
            .expect("a step")
            .effective
    };
    let after = step();
    let rows: Vec<Row> = before.rows().map(|row| Row::clone(row)).collect();

    let mut group = criterion.benchmark_group("10,000 APIs");
    group.sample_size(10);
    group.bench_function("snapshot of a commit", |bencher| bencher.iter(|| black_box(read())));
    group.bench_function("resume from rows", |bencher| {
        bencher.iter(|| Effective::resume(Some(first.clone()), rows.clone(), &mirror).expect("a state"));
    });
    group.bench_function("step of one changed file", |bencher| bencher.iter(|| black_box(step())));
    group.bench_function("difference of two states", |bencher| {
        bencher.iter(|| black_box(changes(&before, &after)));
    });
    group.finish();
}

criterion_group!(benches, snapshot);
criterion_main!(benches);
