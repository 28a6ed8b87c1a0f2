//! Reading the largest document at hand and making tools of it.
//!
//! `STOA_OAS_EXAMPLES` names a directory of public documents; without it a made one of 1,000 operations is used.

use std::{
    env,
    fmt::Write as _,
    fs,
    hint::black_box,
    path::{Path, PathBuf},
};

use criterion::{Criterion, criterion_group, criterion_main};
use openapi::{Document, Limits};

fn compile(criterion: &mut Criterion) {
    let bytes = env::var_os("STOA_OAS_EXAMPLES")
        .and_then(|directory| largest(Path::new(&directory)))
        .unwrap_or_else(made);
    let limits = Limits::default();
    let document = Document::parse(&bytes, &limits).expect("a document");
    println!("document of {} bytes with {} operations", bytes.len(), document.operations().len());
    criterion.bench_function("openapi/parse", |bench| {
        bench.iter(|| Document::parse(black_box(&bytes), &limits));
    });
    criterion.bench_function("openapi/tools", |bench| bench.iter(|| black_box(&document).tools()));
    criterion.bench_function("openapi/problems", |bench| bench.iter(|| black_box(&document).problems()));
}

fn largest(directory: &Path) -> Option<Vec<u8>> {
    let mut queue = vec![directory.to_owned()];
    let mut largest: Option<(u64, PathBuf)> = None;
    while let Some(directory) = queue.pop() {
        for entry in fs::read_dir(directory).ok()?.flatten() {
            let path = entry.path();
            let size = entry.metadata().map_or(0, |metadata| metadata.len());
            let is_json = path.extension().is_some_and(|extension| extension == "json");
            if path.is_dir() {
                queue.push(path);
            } else if is_json && largest.as_ref().is_none_or(|(known, _)| *known < size) {
                largest = Some((size, path));
            }
        }
    }
    fs::read(largest?.1).ok()
}

fn made() -> Vec<u8> {
    let mut text = "openapi: 3.0.3\ninfo: {title: Made, version: '1'}\npaths:\n".to_owned();
    for index in 0..500 {
        let _ = writeln!(
            text,
            "  /r{index}/{{id}}:\n    parameters: [{{name: id, in: path, required: true, schema: {{type: string}}}}]\n    \
             get: {{operationId: get{index}, parameters: [{{name: q, in: query, schema: {{type: string}}}}], responses: \
             {{200: {{description: ok, content: {{application/json: {{schema: {{$ref: '#/components/schemas/S'}}}}}}}}}}}}\n    \
             put: {{operationId: put{index}, requestBody: {{content: {{application/json: {{schema: {{$ref: \
             '#/components/schemas/S'}}}}}}}}, responses: {{200: {{description: ok}}}}}}"
        );
    }
    text += "components: {schemas: {S: {type: object, properties: {name: {type: string}, next: {$ref: '#/components/schemas/S'}}}}}\n";
    text.into_bytes()
}

criterion_group!(benches, compile);
criterion_main!(benches);
