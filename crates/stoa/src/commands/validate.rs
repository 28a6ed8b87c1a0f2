//! Check the files of a repository before they are pushed: with the rules by which the platform takes them in.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use domain::{
    id::{CommitId, Digest},
    name::{ApiName, TenantName},
};
use gitops::{
    BlobId, DocumentError, Layout, Repository, Severity,
    effective::{Effective, Objects},
    repository::{ApiContent, Error, PinError, Tree},
};
use serde_json::{Value, json};

use crate::{
    cli::{Global, Validate},
    output::{Column, column, table},
};

const PROBLEMS: [Column; 4] = [
    column("severity", "/severity"),
    column("where", "/where"),
    column("field", "/field"),
    column("what", "/what"),
];

pub(super) fn run(global: &Global, arguments: &Validate) -> anyhow::Result<ExitCode> {
    let files = read(&arguments.path)?;
    let of_the_layout = |path: &String| !matches!(Layout::place(path), Ok(None));
    if !files.keys().any(of_the_layout) {
        bail!(
            "`{}` holds nothing of a repository of STOA, such as `_defaults.yaml` or `tenants/`; `stoa init` makes one",
            arguments.path.display()
        );
    }
    let count = files.len();
    let history = Repository::of_working_copy(&arguments.path).context("reading the history")?;
    let problems = problems(files, history)?;
    let bad = problems.iter().any(|problem| problem.severity == Severity::Error);
    let rows: Vec<Value> = problems.iter().map(row).collect();
    global.output.write(&problems, || {
        if rows.is_empty() { format!("{count} files, nothing wrong") } else { table(&PROBLEMS, &rows) }
    })?;
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn row(problem: &DocumentError) -> Value {
    let numbers = [problem.line, problem.column];
    let place =
        numbers.iter().flatten().fold(problem.path.clone(), |place, number| format!("{place}:{number}"));
    let what = match &problem.suggestion {
        Some(suggestion) => format!("{}; did you mean `{suggestion}`?", problem.message),
        None => problem.message.clone(),
    };
    json!({ "severity": problem.severity, "where": place, "field": problem.field, "what": what })
}

/// What is wrong with these files, together; commits that are pinned must be in the history.
pub(crate) fn problems(
    files: BTreeMap<String, Vec<u8>>,
    history: Option<(Repository, CommitId)>,
) -> anyhow::Result<Vec<DocumentError>> {
    let mut tree = Tree::new();
    let mut contents = BTreeMap::new();
    for (path, content) in files {
        let blob: BlobId = Digest::of(&content).as_str().parse()?;
        tree.insert(path, blob.clone());
        contents.insert(blob.as_str().to_owned(), content);
    }
    let commit: CommitId = Digest::of(b"checkout").as_str().parse()?;
    let advance = Effective::default()
        .advance_to_tree(&commit, &tree, true, &Checkout { contents, history }, &check_openapi)
        .context("reading the files")?;
    Ok(advance.problems)
}

/// What the platform demands of an OpenAPI document.
fn check_openapi(bytes: &[u8]) -> Result<(), String> {
    openapi::Document::parse(bytes, &openapi::Limits::default())
        .map(|_| ())
        .map_err(|error| runtime::chain(&error))
}

/// The files of a checkout, by what they hold, and the history behind it with its head.
struct Checkout {
    contents: BTreeMap<String, Vec<u8>>,
    history: Option<(Repository, CommitId)>,
}

impl Objects for Checkout {
    fn read_up_to(&self, blob: &BlobId, limit: usize) -> Result<Result<Vec<u8>, usize>, Error> {
        match (self.contents.get(blob.as_str()), &self.history) {
            (Some(content), _) if content.len() > limit => Ok(Err(content.len())),
            (Some(content), _) => Ok(Ok(content.clone())),
            // What is pinned stands in the history only.
            (None, Some((repository, _))) => repository.read_up_to(blob, limit),
            (None, None) => Ok(Ok(Vec::new())),
        }
    }

    fn api_at(
        &self,
        commit: &CommitId,
        _: &CommitId,
        tenant: &TenantName,
        api: &ApiName,
    ) -> Result<ApiContent, PinError> {
        match &self.history {
            Some((repository, head)) => repository.api_at(commit, head, tenant, api),
            None => Err(PinError::NotInHistory(commit.clone())),
        }
    }
}

/// The files under `root` by their path in the repository, without Git's own.
fn read(root: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    if !root.is_dir() {
        bail!("`{}` is no folder", root.display());
    }
    let mut files = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = || format!("reading `{}`", folder.display());
        for entry in fs::read_dir(&folder).with_context(failed)? {
            let entry = entry.with_context(failed)?;
            let (path, kind) = (entry.path(), entry.file_type().with_context(failed)?);
            if kind.is_dir() {
                if entry.file_name() != ".git" {
                    folders.push(path);
                }
            } else if kind.is_file() {
                let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                let content = fs::read(&path).with_context(|| format!("reading `{}`", path.display()))?;
                files.insert(relative, content);
            }
        }
    }
    Ok(files)
}
