//! From the rows of the store back to the state in memory.

use std::{collections::BTreeMap, sync::Arc};

use domain::{entity::EntityPath, id::CommitId};

use super::{
    Declared, Effective, Objects, OpenApi, Row,
    parse::{self, Content, Reading},
};
use crate::{
    document::DocumentError,
    layout::{Layout, Slot},
    repository::{self, BlobId},
};

impl Effective {
    /// The state whose rows these are, at `commit`.
    ///
    /// What the rows call valid is not checked again, except that it must still be readable as a document: with
    /// another validator call [`Effective::advance_to_tree`] afterwards, with `reread`.
    pub fn resume(
        commit: Option<CommitId>,
        rows: impl IntoIterator<Item = Row>,
        objects: &dyn Objects,
    ) -> Result<Self, repository::Error> {
        let rows: BTreeMap<Arc<str>, Arc<Row>> =
            rows.into_iter().map(|row| (Arc::clone(&row.path), Arc::new(row))).collect();
        let mut state = Self { commit, rows, ..Self::default() };
        state.read_effective(objects)?;
        state.read_refused(objects)?;
        Ok(state)
    }

    fn read_effective(&mut self, objects: &dyn Objects) -> Result<(), repository::Error> {
        let mut documents = Vec::new();
        for row in self.rows.values() {
            let (Some(origin), Ok(Some(place))) = (&row.effective, Layout::place(&row.path)) else {
                continue;
            };
            match place.slot {
                Slot::Entity(_) => documents.push((Arc::clone(&row.path), origin.blob.clone())),
                slot @ Slot::OpenApi { .. } => drop(self.slots.insert(Arc::new(slot), Arc::clone(&row.path))),
            }
        }
        let mut unreadable = Vec::new();
        for (path, _, reading) in parse::read_all(&documents, objects, &trusting)? {
            let Some(Reading { slot: Some(Slot::Entity(entity)), content, .. }) = reading else { continue };
            match content {
                Ok(Content::Entity(content)) => {
                    self.slots.insert(Arc::new(Slot::Entity(entity.clone())), Arc::clone(&path));
                    let declared = self.declared_again(&entity, &path, content);
                    self.entities.extend(declared.map(|declared| (Arc::new(entity), Arc::new(declared))));
                }
                Ok(Content::OpenApi) => {}
                Err(error) => unreadable.push((path, error)),
            }
        }
        for (path, error) in unreadable {
            self.drop_unreadable(&path, error);
        }
        Ok(())
    }

    fn declared_again(
        &self,
        path: &EntityPath,
        file: &Arc<str>,
        entity: Arc<domain::entity::Entity>,
    ) -> Option<Declared> {
        let row = self.rows.get(file)?;
        let openapi = match path {
            EntityPath::Api { tenant, api } => {
                let slot = Slot::OpenApi { tenant: tenant.clone(), api: api.clone() };
                self.slots.get(&slot).and_then(|path| {
                    let origin = self.rows.get(path)?.effective.clone()?;
                    Some(OpenApi { path: Arc::clone(path), origin })
                })
            }
            _ => None,
        };
        Some(Declared {
            entity,
            path: Arc::clone(file),
            origin: row.effective.clone()?,
            openapi,
            orphaned_by: row.orphaned_by.iter().filter_map(|key| key.parse().ok()).collect(),
        })
    }

    /// A release that no longer reads what a former one did has nothing to put in effect there.
    fn drop_unreadable(&mut self, path: &Arc<str>, error: DocumentError) {
        let Some(row) = self.rows.get_mut(path) else { return };
        let row = Arc::make_mut(row);
        row.effective = None;
        row.problems.push(error);
    }

    fn read_refused(&mut self, objects: &dyn Objects) -> Result<(), repository::Error> {
        let mut documents: Vec<(Arc<str>, BlobId)> = Vec::new();
        for row in self.rows.values() {
            let Some(head) = &row.head else { continue };
            if row.effective.as_ref().is_some_and(|origin| origin.blob == *head) {
                continue;
            }
            match Layout::place(&row.path) {
                Ok(Some(place)) if matches!(place.slot, Slot::OpenApi { .. }) => {
                    let reading = refused_openapi(row, place.slot, place.rank);
                    self.pending.insert(Arc::clone(&row.path), reading);
                }
                Ok(Some(_)) => documents.push((Arc::clone(&row.path), head.clone())),
                _ => {}
            }
        }
        for (path, _, reading) in parse::read_all(&documents, objects, &trusting)? {
            self.pending.extend(reading.map(|reading| (path, reading)));
        }
        Ok(())
    }
}

/// An OpenAPI document that was refused: its row says whether for its content or for another beside it.
fn refused_openapi(row: &Row, slot: Slot, rank: u8) -> Reading {
    let duplicate = |error: &&DocumentError| error.message.ends_with("is read instead");
    let content = match row.problems.iter().find(|error| !duplicate(error)) {
        Some(error) => Err(error.clone()),
        None => Ok(Content::OpenApi),
    };
    Reading { slot: Some(slot), rank, content, warnings: Vec::new() }
}

/// Rows were checked when they were made.
#[expect(clippy::unnecessary_wraps, reason = "it stands for a check")]
fn trusting(_: &[u8]) -> Result<(), String> {
    Ok(())
}
