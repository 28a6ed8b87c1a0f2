//! A place on which a step decides: what the branch holds there, what was in effect, and the verdict.

use std::{collections::BTreeSet, sync::Arc};

use domain::id::CommitId;

use super::{Effective, Origin, Row, parse::Reading, rules::Broken};
use crate::{document::DocumentError, layout::Slot, repository::BlobId};

/// The content of a file on the branch.
pub(super) struct Head {
    pub(super) path: Arc<str>,
    pub(super) blob: BlobId,
    pub(super) reading: Reading,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Take the head with this index.
    New(usize),
    /// Keep the former content.
    Keep,
    /// Nothing.
    Gone,
}

/// A place on which this step decides.
pub(super) struct Case {
    pub(super) heads: Vec<Head>,
    /// The head whose content is valid by itself.
    pub(super) wanted: Option<usize>,
    pub(super) former: Option<(Arc<str>, Origin)>,
    pub(super) verdict: Verdict,
    pub(super) broken: Option<Broken>,
    pub(super) orphaned_by: BTreeSet<String>,
}

impl Case {
    pub(super) fn first_verdict(&mut self) {
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

    pub(super) fn refuse(&mut self, broken: Broken) {
        self.verdict = if self.former.is_some() { Verdict::Keep } else { Verdict::Gone };
        self.broken = Some(broken);
    }

    /// Writes the rows of all files in this place.
    pub(super) fn write(
        &self,
        slot: &Slot,
        commit: &CommitId,
        next: &mut Effective,
        problems: &mut Vec<DocumentError>,
    ) {
        let in_effect: Option<(Arc<str>, Origin)> = match self.verdict {
            Verdict::New(index) => {
                let head = &self.heads[index];
                Some((Arc::clone(&head.path), Origin { blob: head.blob.clone(), commit: commit.clone() }))
            }
            Verdict::Keep => self.former.clone(),
            Verdict::Gone => None,
        };
        match &in_effect {
            Some((path, _)) => drop(next.slots.insert(Arc::new(slot.clone()), Arc::clone(path))),
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
        let message = if by.is_empty() {
            // Its place is filled by another file that is not valid.
            "the file was removed, but what came instead is not valid, so it stays in effect".to_owned()
        } else {
            format!("the file was removed, but stays in effect: {} refers to it", by.join(", "))
        };
        vec![DocumentError::about(path, message)]
    }
}

/// Puts or removes a row, noting what is wrong now and was not before.
pub(super) fn put_row(
    next: &mut Effective,
    path: &Arc<str>,
    row: Option<Row>,
    problems: &mut Vec<DocumentError>,
) {
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
