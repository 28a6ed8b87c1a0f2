//! A branch without Git, for tests.

use std::collections::HashMap;

use domain::id::Digest;

use super::super::*;
use crate::repository::{Error, PathChange, Tree};

/// Blobs in memory.
#[derive(Default)]
pub(super) struct Blobs(pub(super) HashMap<BlobId, Vec<u8>>);

impl Blobs {
    fn put(&mut self, text: &str) -> BlobId {
        let id: BlobId = Digest::of(text.as_bytes()).to_string().parse().unwrap();
        self.0.insert(id.clone(), text.as_bytes().to_vec());
        id
    }
}

impl Objects for Blobs {
    fn read_up_to(&self, blob: &BlobId, limit: usize) -> Result<Result<Vec<u8>, usize>, Error> {
        let bytes = self.0.get(blob).ok_or_else(|| Error::NoSuchBlob(blob.clone()))?;
        Ok(if bytes.len() > limit { Err(bytes.len()) } else { Ok(bytes.clone()) })
    }

    fn api_at(
        &self,
        commit: &CommitId,
        _: &CommitId,
        _: &TenantName,
        _: &ApiName,
    ) -> Result<ApiContent, PinError> {
        Err(PinError::NotInHistory(commit.clone()))
    }
}

pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    if bytes.starts_with(b"openapi") { Ok(()) } else { Err("no OpenAPI document".to_owned()) }
}

/// A branch without Git: a tree of texts, committed with a counter.
pub(super) struct Branch {
    pub(super) blobs: Blobs,
    pub(super) tree: Tree,
    pub(super) committed: Tree,
    pub(super) commits: u32,
    pub(super) state: Effective,
}

impl Branch {
    pub(super) fn new() -> Self {
        let mut branch = Self {
            blobs: Blobs::default(),
            tree: Tree::new(),
            committed: Tree::new(),
            commits: 0,
            state: Effective::default(),
        };
        branch.put("environments/dev/config.yaml", "environment: dev");
        let gateway = "apiVersion: stoa.io/v1\nkind: Gateway\nmetadata: {name: builtin}\n\
                       spec: {type: builtin, address: 'http://g'}";
        branch.put("environments/dev/gateways/builtin.yaml", gateway);
        branch.tenant("acme");
        branch.commit();
        branch
    }

    pub(super) fn put(&mut self, path: &str, text: &str) {
        let blob = self.blobs.put(text);
        self.tree.insert(path.to_owned(), blob);
    }

    pub(super) fn remove(&mut self, prefix: &str) {
        self.tree.retain(|path, _| !path.starts_with(prefix));
    }

    pub(super) fn tenant(&mut self, name: &str) {
        self.put(&format!("tenants/{name}/tenant.yaml"), &format!("id: {name}\n"));
    }

    pub(super) fn api(&mut self, name: &str, backend: &str) {
        self.put(
            &format!("tenants/acme/apis/{name}/api.yaml"),
            &format!("name: {name}\nbackend_url: {backend}\n"),
        );
        self.put(&format!("tenants/acme/apis/{name}/openapi.yaml"), "openapi: 3.1.0");
    }

    pub(super) fn deployment(&mut self, api: &str) {
        let text = "apiVersion: stoa.io/v1\nkind: Deployment\nspec: {follow: head, gateways: [builtin]}";
        self.put(&format!("tenants/acme/apis/{api}/deployments/dev.yaml"), text);
    }

    fn id(&self) -> CommitId {
        format!("{:040x}", self.commits).parse().unwrap()
    }

    /// Commits, and tells what is wrong since.
    pub(super) fn commit(&mut self) -> Vec<String> {
        self.commits += 1;
        let paths = self.committed.keys().chain(self.tree.keys());
        let changed: std::collections::BTreeSet<&String> =
            paths.filter(|path| self.committed.get(*path) != self.tree.get(*path)).collect();
        let changed: Vec<PathChange> = changed
            .into_iter()
            .map(|path| PathChange {
                path: path.clone(),
                before: self.committed.get(path).cloned(),
                after: self.tree.get(path).cloned(),
            })
            .collect();
        let advance = self.state.advance(&self.id(), &changed, Span::Commit, &self.blobs, &check).unwrap();
        self.state = advance.effective;
        self.committed = self.tree.clone();
        self.assert_sound();
        advance.problems.iter().map(ToString::to_string).collect()
    }

    /// What must hold whatever was committed.
    fn assert_sound(&self) {
        for declared in self.state.entities.values() {
            for slot in references::references(&declared.entity) {
                assert!(self.state.slots.contains_key(&slot), "{} refers to {slot:?}", declared.path);
            }
        }
        let again = Effective::resume(
            self.state.commit.clone(),
            self.state.rows().map(|row| Row::clone(row)),
            &self.blobs,
        );
        let again = again.unwrap();
        assert_eq!(again.entities, self.state.entities);
        assert_eq!(again.slots, self.state.slots);
        assert_eq!(again.pending.keys().collect::<Vec<_>>(), self.state.pending.keys().collect::<Vec<_>>());
    }

    pub(super) fn keys(&self) -> Vec<String> {
        self.state.entities().map(|(path, _)| path.to_string()).collect()
    }

    pub(super) fn standing(&self, path: &str) -> Option<Standing> {
        self.state.rows.get(path).map(|row| row.standing())
    }
}

pub(super) fn told(changes: &[EntityChange]) -> Vec<String> {
    changes
        .iter()
        .map(|it| {
            let sign = match it.change {
                Change::Created(_) => '+',
                Change::Updated { .. } => '~',
                Change::Removed(_) => '-',
            };
            format!("{sign} {}", it.path)
        })
        .collect()
}
