//! One step of the effective state.
//!
//! The files that changed are read, each alone. Then every place that is touched, was refused before, or is
//! orphaned gets a verdict: take the new content, keep the former, or nothing. New content that breaks a rule
//! loses its verdict; a removal that somebody still depends on loses its own. Each verdict moves at most twice and
//! always towards the former state, so this ends, and the outcome does not depend on the order of the files.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{entity::EntityPath, id::CommitId};

use super::{
    Declared, Effective, Objects, OpenApi, OpenApiCheck, Row,
    case::{Case, Head, Verdict, put_row},
    parse::{self, Content, FileReading, Reading},
};
use crate::{
    document::DocumentError,
    layout::{Layout, Slot},
    repository::{self, BlobId, PathChange, Tree},
};

/// What a step covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// One commit.
    Commit,
    /// Several commits, of which only the last is looked at.
    Collapsed,
}

/// The outcome of a step.
#[derive(Clone, Debug)]
pub struct Advance {
    /// The state after it.
    pub effective: Effective,
    /// What is wrong or odd since this step.
    pub problems: Vec<DocumentError>,
}

impl Effective {
    /// The state after `commit`, which changed `changed`.
    ///
    /// # Errors
    /// Only if the objects cannot be read; whatever is wrong with a file is told in the outcome.
    pub fn advance(
        &self,
        commit: &CommitId,
        changed: &[PathChange],
        span: Span,
        objects: &dyn Objects,
        check: &OpenApiCheck<'_>,
    ) -> Result<Advance, repository::Error> {
        let files: Vec<(Arc<str>, BlobId)> = changed
            .iter()
            .filter_map(|change| Some((Arc::from(change.path.as_str()), change.after.clone()?)))
            .collect();
        let readings = parse::read_all(&files, objects, check)?;
        let mut step = StepState::begin(self, commit, changed, readings, span);
        step.check_pins(objects, check)?;
        step.settle();
        Ok(step.finish())
    }

    /// The state at `commit` whatever the line was: for the first commit, a rewritten history, a new validator.
    pub fn advance_to_tree(
        &self,
        commit: &CommitId,
        tree: &Tree,
        reread: bool,
        objects: &dyn Objects,
        check: &OpenApiCheck<'_>,
    ) -> Result<Advance, repository::Error> {
        let gone = self.rows.values().filter(|row| row.head.is_some() && !tree.contains_key(&*row.path));
        let mut changes: Vec<PathChange> = gone
            .map(|row| PathChange { path: row.path.to_string(), before: row.head.clone(), after: None })
            .collect();
        for (path, blob) in tree {
            let before = self.rows.get(path.as_str()).and_then(|row| row.head.clone());
            if reread || before.as_ref() != Some(blob) {
                changes.push(PathChange { path: path.clone(), before, after: Some(blob.clone()) });
            }
        }
        self.advance(commit, &changes, Span::Collapsed, objects, check)
    }
}

/// A step while it is decided.
pub(super) struct StepState<'a> {
    pub(super) former: &'a Effective,
    pub(super) commit: &'a CommitId,
    pub(super) span: Span,
    pub(super) cases: BTreeMap<Slot, Case>,
    /// Files in no place, with what is wrong with them.
    homeless: BTreeMap<Arc<str>, Option<(BlobId, DocumentError)>>,
}

impl<'a> StepState<'a> {
    /// Collects the places to decide on, and what the branch holds there.
    fn begin(
        former: &'a Effective,
        commit: &'a CommitId,
        changed: &[PathChange],
        readings: Vec<FileReading>,
        span: Span,
    ) -> Self {
        let mut step = Self { former, commit, span, cases: BTreeMap::new(), homeless: BTreeMap::new() };
        let changed_paths: BTreeSet<&str> = changed.iter().map(|change| change.path.as_str()).collect();
        for change in changed.iter().filter(|change| change.after.is_none()) {
            match Layout::place(&change.path) {
                Ok(Some(place)) => drop(step.case(&place.slot)),
                Ok(None) => {}
                Err(_) => drop(step.homeless.insert(Arc::from(change.path.as_str()), None)),
            }
        }
        let refused = former.pending.iter().filter(|(path, _)| !changed_paths.contains(&***path));
        let refused = refused.filter_map(|(path, reading)| {
            let blob = former.rows.get(path)?.head.clone()?;
            Some((Arc::clone(path), blob, Some(reading.clone())))
        });
        for (path, blob, reading) in refused.chain(readings) {
            match reading {
                None => {}
                Some(Reading { slot: None, content: Err(error), .. }) => {
                    step.homeless.insert(path, Some((blob, error)));
                }
                Some(reading) => {
                    if let Some(slot) = reading.slot.clone() {
                        step.case(&slot).heads.push(Head { path, blob, reading });
                    }
                }
            }
        }
        for row in former.rows.values().filter(|row| !row.orphaned_by.is_empty()) {
            if let Ok(Some(place)) = Layout::place(&row.path) {
                step.case(&place.slot);
            }
        }
        step.add_unchanged_heads(&changed_paths);
        for case in step.cases.values_mut() {
            case.first_verdict();
        }
        step
    }

    fn case(&mut self, slot: &Slot) -> &mut Case {
        let former = self.former;
        self.cases.entry(slot.clone()).or_insert_with(|| Case {
            heads: Vec::new(),
            wanted: None,
            former: former.slots.get(slot).and_then(|path| {
                let origin = former.rows.get(path)?.effective.clone()?;
                Some((Arc::clone(path), origin))
            }),
            verdict: Verdict::Gone,
            broken: None,
            orphaned_by: BTreeSet::new(),
        })
    }

    /// A file in effect that did not change is a head of its place like any other.
    fn add_unchanged_heads(&mut self, changed: &BTreeSet<&str>) {
        for (slot, case) in &mut self.cases {
            let Some((path, origin)) = &case.former else { continue };
            let Some(row) = self.former.rows.get(path) else { continue };
            let there = case.heads.iter().any(|head| head.path == *path);
            if changed.contains(&**path) || there || row.head.as_ref() != Some(&origin.blob) {
                continue;
            }
            let content = match slot {
                Slot::OpenApi { .. } => Content::OpenApi,
                Slot::Entity(entity) => match self.former.entities.get(entity) {
                    Some(declared) => Content::Entity(Arc::clone(&declared.entity)),
                    None => continue,
                },
            };
            let rank = Layout::place(path).ok().flatten().map_or(0, |place| place.rank);
            let warnings = row.problems.clone();
            let reading = Reading { slot: Some(slot.clone()), rank, content: Ok(content), warnings };
            case.heads.push(Head { path: Arc::clone(path), blob: origin.blob.clone(), reading });
        }
    }

    /// Turns verdicts into the next state.
    fn finish(self) -> Advance {
        let mut next = self.former.clone();
        next.commit = Some(self.commit.clone());
        let mut problems = Vec::new();
        for (path, content) in &self.homeless {
            let row = content.as_ref().map(|(blob, error)| Row {
                path: Arc::clone(path),
                head: Some(blob.clone()),
                effective: None,
                problems: vec![error.clone()],
                orphaned_by: Vec::new(),
            });
            put_row(&mut next, path, row, &mut problems);
        }
        let mut rebuild = BTreeSet::new();
        for (slot, case) in &self.cases {
            rebuild.insert(match slot {
                Slot::Entity(path) => path.clone(),
                Slot::OpenApi { tenant, api } => EntityPath::Api { tenant: tenant.clone(), api: api.clone() },
            });
            case.write(slot, self.commit, &mut next, &mut problems);
        }
        let entities: Vec<_> = rebuild.into_iter().map(|path| (self.declared(&path, &next), path)).collect();
        for (declared, path) in entities {
            match declared {
                // What did not change stays the same allocation, so that comparing states stays cheap.
                Some(declared) if next.entities.get(&path).is_some_and(|old| **old == declared) => {}
                Some(declared) => drop(next.entities.insert(Arc::new(path), Arc::new(declared))),
                None => drop(next.entities.remove(&path)),
            }
        }
        Advance { effective: next, problems }
    }

    fn declared(&self, path: &EntityPath, next: &Effective) -> Option<Declared> {
        let slot = Slot::Entity(path.clone());
        let entity = self.entity(&slot)?;
        let in_effect = |slot: &Slot| {
            let path = next.slots.get(slot)?;
            let row = next.rows.get(path)?;
            Some((Arc::clone(path), row.effective.clone()?, row))
        };
        let (file, origin, row) = in_effect(&slot)?;
        let openapi = match path {
            EntityPath::Api { tenant, api } => {
                in_effect(&Slot::OpenApi { tenant: tenant.clone(), api: api.clone() })
                    .map(|(path, origin, _)| OpenApi { path, origin })
            }
            _ => None,
        };
        let orphaned_by = row.orphaned_by.iter().filter_map(|key| key.parse().ok()).collect();
        Some(Declared { entity, path: file, origin, openapi, orphaned_by })
    }
}
