//! Every document below the directory that `STOA_OAS_EXAMPLES` names.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::HashSet,
    env, fs,
    path::{Path, PathBuf},
};

use openapi::{Document, Limits, NAME_LENGTH, Severity};
use serde_json::{Map, Value};
use url::Url;

#[test]
fn every_public_document_compiles_to_tools() {
    let Some(directory) = env::var_os("STOA_OAS_EXAMPLES") else {
        println!("every_public_document_compiles_to_tools: skipped, STOA_OAS_EXAMPLES names no directory");
        return;
    };
    let documents = documents(Path::new(&directory));
    assert!(documents.len() >= 6, "{} documents found", documents.len());
    let mut tools = 0;
    for path in &documents {
        tools += check(path);
    }
    println!("{} documents, {tools} tools", documents.len());
    assert!(tools > 100);
}

fn documents(directory: &Path) -> Vec<PathBuf> {
    let mut queue = vec![directory.to_owned()];
    let mut found = Vec::new();
    while let Some(directory) = queue.pop() {
        for entry in fs::read_dir(directory).unwrap().flatten() {
            let path = entry.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if path.is_dir() && path.file_name().is_some_and(|name| name != "node_modules") {
                queue.push(path);
            } else if matches!(extension, Some("json" | "yaml" | "yml")) {
                let text = fs::read_to_string(&path).unwrap();
                // Packages hold other files too; a document says what it is.
                let said = ["openapi", "swagger"].iter().any(|word| {
                    text.contains(&format!("\"{word}\":"))
                        || text.lines().any(|line| line.starts_with(&format!("{word}:")))
                });
                if said {
                    found.push(path);
                }
            }
        }
    }
    found.sort();
    found
}

fn check(path: &Path) -> usize {
    let name = path.display();
    let bytes = fs::read(path).unwrap();
    let document =
        Document::parse(&bytes, &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let errors: Vec<_> = document.problems().into_iter().filter(|p| p.severity == Severity::Error).collect();
    let tools = document.tools();
    assert_eq!(errors, [], "{name}");
    assert_eq!(tools.len(), document.operations().len(), "{name}");

    let base = Url::parse("http://upstream.example:8080/base").unwrap();
    let mut names = HashSet::new();
    for tool in &tools {
        assert!(tool.name.len() <= NAME_LENGTH && !tool.name.is_empty(), "{name}: {}", tool.name);
        assert!(tool.name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)), "{}", tool.name);
        assert!(names.insert(tool.name.clone()), "{name}: {} is there twice", tool.name);
        assert!(!tool.description.is_empty(), "{name}: {}", tool.name);
        assert_eq!(tool.input_schema["type"], "object");
        resolves(&tool.input_schema, &tool.input_schema);
        if let Some(schema) = tool.wrapped_output_schema() {
            assert_eq!(schema["type"], "object", "{name}: {}", tool.name);
            resolves(&schema, &schema);
        }
        for value in ["plain", "../../etc/passwd", "..", "a/b?c#d", "\r\nX: y", "%2e%2e%2f"] {
            let arguments: Map<String, Value> = tool.input_schema["properties"]
                .as_object()
                .unwrap()
                .keys()
                .map(|key| (key.clone(), Value::String(value.to_owned())))
                .collect();
            if let Ok(request) = tool.request(&arguments) {
                let url = request.url(&base).unwrap();
                assert_eq!(url.origin(), base.origin());
                assert!(url.path().starts_with("/base/"), "{url}");
                assert_eq!(request.path.split('/').count(), tool.path.split('/').count(), "{url}");
            }
        }
    }
    tools.len()
}

/// Every reference of a schema leads somewhere inside it.
fn resolves(root: &Value, value: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
                assert!(target.is_some(), "{reference} is not in {root}");
            }
            fields.values().for_each(|value| resolves(root, value));
        }
        Value::Array(items) => items.iter().for_each(|value| resolves(root, value)),
        _ => {}
    }
}
