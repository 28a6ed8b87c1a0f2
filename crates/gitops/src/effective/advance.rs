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

use domain::{
    entity::{Entity, EntityPath},
    id::CommitId,
};

use super::{
    Declared, Effective, Objects, OpenApi, OpenApiCheck, Origin, Row,
    parse::{self, Content, Reading},
    references::{name, references},
    rules::{self, Broken, Unique},
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

/// The content of a file on the branch.
struct Head {
    path: Arc<str>,
    blob: BlobId,
    reading: Reading,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Take the head with this index.
    New(usize),
    /// Keep the former content.
    Keep,
    /// Nothing.
    Gone,
}

/// A place on which this step decides.
struct Case {
    heads: Vec<Head>,
    /// The head whose content is valid by itself.
    wanted: Option<usize>,
    former: Option<(Arc<str>, Origin)>,
    verdict: Verdict,
    broken: Option<Broken>,
    orphaned_by: BTreeSet<String>,
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

struct StepState<'a> {
    former: &'a Effective,
    commit: &'a CommitId,
    span: Span,
    cases: BTreeMap<Slot, Case>,
    /// Files in no place, with what is wrong with them.
    homeless: BTreeMap<Arc<str>, Option<(BlobId, DocumentError)>>,
}

impl<'a> StepState<'a> {
    /// Collects the places to decide on, and what the branch holds there.
    fn begin(
        former: &'a Effective,
        commit: &'a CommitId,
        changed: &[PathChange],
        readings: Vec<(Arc<str>, BlobId, Option<Reading>)>,
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
                Some(Reading { slot: None, content, .. }) => {
                    if let Err(error) = content {
                        step.homeless.insert(path, Some((blob, error)));
                    }
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

    /// A pinned deployment must find its content in history; that depends on nothing else in this step.
    fn check_pins(
        &mut self,
        objects: &dyn Objects,
        check: &OpenApiCheck<'_>,
    ) -> Result<(), repository::Error> {
        for case in self.cases.values_mut() {
            let Verdict::New(index) = case.verdict else { continue };
            let Ok(Content::Entity(entity)) = &case.heads[index].reading.content else { continue };
            if let Some(broken) = rules::check_pin(entity, self.commit, objects, check)? {
                case.refuse(broken);
            }
        }
        Ok(())
    }

    /// Moves verdicts until none moves.
    fn settle(&mut self) {
        let mut held = Unique::default();
        for (path, declared) in &self.former.entities {
            if !self.cases.contains_key(&Slot::Entity(path.clone())) {
                held.hold(&declared.entity);
            }
        }
        loop {
            let refused = self.refuse_what_breaks_a_rule(&held);
            let revived = self.revive_what_is_referred_to();
            if !refused && !revived {
                return;
            }
        }
    }

    fn refuse_what_breaks_a_rule(&mut self, held: &Unique) -> bool {
        // What keeps its place keeps its ids; new content may take only what is left.
        let mut taken = Unique::default();
        for case in self.cases.values() {
            if let (Verdict::Keep, Some(entity)) = (case.verdict, self.former_entity(case)) {
                taken.hold(&entity);
            }
        }
        let mut verdicts = Vec::new();
        for (slot, case) in &self.cases {
            let (Verdict::New(_), Some(entity)) = (case.verdict, self.entity(slot)) else { continue };
            let former = self.former_entity(case);
            let broken = self
                .missing_reference(&entity)
                .or_else(|| rules::check_identity(former.as_deref()?, &entity, self.span))
                .or_else(|| rules::check_target(&entity, &|path| self.entity(&Slot::Entity(path.clone()))))
                .or_else(|| held.check(&entity))
                .or_else(|| taken.check(&entity));
            match broken {
                Some(broken) => verdicts.push((slot.clone(), broken)),
                None => taken.hold(&entity),
            }
        }
        let moved = !verdicts.is_empty();
        for (slot, broken) in verdicts {
            if let Some(case) = self.cases.get_mut(&slot) {
                case.refuse(broken);
            }
        }
        moved
    }

    fn missing_reference(&self, entity: &Entity) -> Option<Broken> {
        let missing = references(entity).into_iter().find(|slot| !self.present(slot))?;
        let invalid = self.cases.get(&missing).is_some_and(|case| !case.heads.is_empty());
        let message = match invalid {
            true => format!("the {} is not valid", name(&missing)),
            false => format!("there is no {}", name(&missing)),
        };
        Some(Broken { field: None, message })
    }

    /// Keeps what was removed while something in effect refers to it.
    fn revive_what_is_referred_to(&mut self) -> bool {
        let removed: BTreeSet<&Slot> = self
            .cases
            .iter()
            .filter(|(_, case)| case.heads.is_empty() && case.former.is_some())
            .map(|(slot, _)| slot)
            .collect();
        if removed.is_empty() {
            return false;
        }
        let mut referrers: BTreeMap<Slot, BTreeSet<String>> = BTreeMap::new();
        let mut note = |path: &EntityPath, entity: &Entity| {
            for slot in references(entity).into_iter().filter(|slot| removed.contains(slot)) {
                referrers.entry(slot).or_default().insert(path.to_string());
            }
        };
        for (path, declared) in &self.former.entities {
            if !self.cases.contains_key(&Slot::Entity(path.clone())) {
                note(path, &declared.entity);
            }
        }
        for slot in self.cases.keys() {
            if let (Slot::Entity(path), Some(entity)) = (slot, self.entity(slot)) {
                note(path, &entity);
            }
        }
        let mut moved = false;
        for (slot, case) in &mut self.cases {
            if case.heads.is_empty()
                && case.former.is_some()
                && let Some(by) = referrers.remove(slot)
            {
                moved |= case.verdict != Verdict::Keep;
                case.verdict = Verdict::Keep;
                case.orphaned_by = by;
            }
        }
        moved
    }

    fn present(&self, slot: &Slot) -> bool {
        match self.cases.get(slot) {
            Some(case) => case.verdict != Verdict::Gone,
            None => self.former.slots.contains_key(slot),
        }
    }

    /// The entity in effect in a place, as the verdicts stand.
    fn entity(&self, slot: &Slot) -> Option<Arc<Entity>> {
        let Slot::Entity(path) = slot else { return None };
        let Some(case) = self.cases.get(slot) else {
            return self.former.entities.get(path).map(|declared| Arc::clone(&declared.entity));
        };
        match case.verdict {
            Verdict::New(index) => match &case.heads[index].reading.content {
                Ok(Content::Entity(entity)) => Some(Arc::clone(entity)),
                _ => None,
            },
            Verdict::Keep => self.former.entities.get(path).map(|declared| Arc::clone(&declared.entity)),
            Verdict::Gone => None,
        }
    }

    fn former_entity(&self, case: &Case) -> Option<Arc<Entity>> {
        let (path, _) = case.former.as_ref()?;
        let place = Layout::place(path).ok().flatten()?;
        let Slot::Entity(entity) = place.slot else { return None };
        self.former.entities.get(&entity).map(|declared| Arc::clone(&declared.entity))
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
                Some(declared) => drop(next.entities.insert(path, Arc::new(declared))),
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

impl Case {
    fn first_verdict(&mut self) {
        let valid = |(index, head): (usize, &Head)| {
            head.reading.content.is_ok().then_some((head.reading.rank, index))
        };
        self.wanted = self.heads.iter().enumerate().filter_map(valid).min().map(|(_, index)| index);
        self.verdict = match (self.wanted, &self.former) {
            (Some(index), Some((path, origin)))
                if self.heads[index].path == *path && self.heads[index].blob == origin.blob =>
            {
                Verdict::Keep
            }
            (Some(index), _) => Verdict::New(index),
            (None, Some(_)) if !self.heads.is_empty() => Verdict::Keep,
            (None, _) => Verdict::Gone,
        };
    }

    fn refuse(&mut self, broken: Broken) {
        self.verdict = if self.former.is_some() { Verdict::Keep } else { Verdict::Gone };
        self.broken = Some(broken);
    }

    /// Writes the rows of all files in this place.
    fn write(&self, slot: &Slot, commit: &CommitId, next: &mut Effective, problems: &mut Vec<DocumentError>) {
        let in_effect: Option<(Arc<str>, Origin)> = match self.verdict {
            Verdict::New(index) => {
                let head = &self.heads[index];
                Some((Arc::clone(&head.path), Origin { blob: head.blob.clone(), commit: commit.clone() }))
            }
            Verdict::Keep => self.former.clone(),
            Verdict::Gone => None,
        };
        match &in_effect {
            Some((path, _)) => drop(next.slots.insert(slot.clone(), Arc::clone(path))),
            None => drop(next.slots.remove(slot)),
        }
        let effective_at = |path: &Arc<str>| {
            in_effect.as_ref().filter(|(file, _)| file == path).map(|(_, origin)| origin.clone())
        };
        for (index, head) in self.heads.iter().enumerate() {
            let effective = effective_at(&head.path);
            let current = effective.as_ref().is_some_and(|origin| origin.blob == head.blob);
            let row = Row {
                path: Arc::clone(&head.path),
                head: Some(head.blob.clone()),
                effective,
                problems: self.problems(index),
                orphaned_by: Vec::new(),
            };
            if current {
                next.pending.remove(&head.path);
            } else {
                next.pending.insert(Arc::clone(&head.path), head.reading.clone());
            }
            put_row(next, &head.path, Some(row), problems);
        }
        // The file of the former content, if the branch no longer has it.
        if let Some((path, _)) = &self.former
            && !self.heads.iter().any(|head| head.path == *path)
        {
            let row = effective_at(path).map(|origin| Row {
                path: Arc::clone(path),
                head: None,
                effective: Some(origin),
                problems: self.orphan_problem(path),
                orphaned_by: self.orphaned_by.iter().cloned().collect(),
            });
            put_row(next, path, row, problems);
        }
        self.forget_removed(slot, next);
    }

    /// Rows of files that were refused, and are removed now.
    fn forget_removed(&self, slot: &Slot, next: &mut Effective) {
        let known: BTreeSet<&Arc<str>> = self
            .heads
            .iter()
            .map(|head| &head.path)
            .chain(self.former.as_ref().map(|(path, _)| path))
            .collect();
        let stale: Vec<Arc<str>> = next
            .pending
            .iter()
            .filter(|(path, reading)| reading.slot.as_ref() == Some(slot) && !known.contains(path))
            .map(|(path, _)| Arc::clone(path))
            .collect();
        for path in stale {
            next.pending.remove(&path);
            next.rows.remove(&path);
        }
        for path in self.former.iter().map(|(path, _)| path) {
            if !self.heads.iter().any(|head| head.path == *path) {
                next.pending.remove(path);
            }
        }
    }

    /// What is wrong with the head of this index.
    fn problems(&self, index: usize) -> Vec<DocumentError> {
        let head = &self.heads[index];
        let mut problems = head.reading.warnings.clone();
        match (&head.reading.content, self.wanted) {
            (Err(error), _) => problems.push(error.clone()),
            (Ok(_), Some(wanted)) if wanted != index => {
                let message = format!("`{}` says the same, and is read instead", self.heads[wanted].path);
                problems.push(DocumentError::about(&head.path, message));
            }
            (Ok(_), _) => {
                if let Some(broken) = &self.broken {
                    let mut error = DocumentError::about(&head.path, broken.message.clone());
                    error.field = broken.field.map(str::to_owned);
                    problems.push(error);
                }
            }
        }
        problems
    }

    fn orphan_problem(&self, path: &str) -> Vec<DocumentError> {
        let by: Vec<&str> = self.orphaned_by.iter().map(String::as_str).take(10).collect();
        let message = match by.is_empty() {
            // Its place is filled by another file that is not valid.
            true => {
                "the file was removed, but what came instead is not valid, so it stays in effect".to_owned()
            }
            false => format!("the file was removed, but stays in effect: {} refers to it", by.join(", ")),
        };
        vec![DocumentError::about(path, message)]
    }
}

/// Puts or removes a row, noting what is wrong now and was not before.
fn put_row(next: &mut Effective, path: &Arc<str>, row: Option<Row>, problems: &mut Vec<DocumentError>) {
    let former = next.rows.get(path);
    match row {
        Some(row) => {
            if former.is_some_and(|former| **former == row) {
                return;
            }
            // The same fault in new content is told again: somebody tried to mend it.
            let same_head = former.is_some_and(|former| former.head == row.head);
            let known = former.filter(|_| same_head).map_or(&[][..], |former| &former.problems);
            problems.extend(row.problems.iter().filter(|problem| !known.contains(problem)).cloned());
            next.rows.insert(Arc::clone(path), Arc::new(row));
        }
        None => drop(next.rows.remove(path)),
    }
}
