//! Reading files: each alone, before anybody looks at how they fit together.

use std::sync::Arc;

use domain::entity::Entity;

use super::{Objects, OpenApiCheck};
use crate::{
    document::{self, DocumentError, Form},
    layout::{Layout, Slot},
    repository::{self, BlobId},
};

/// The largest OpenAPI document as written.
pub(super) const MAX_OPENAPI_BYTES: usize = 16 * 1024 * 1024;

/// What the content of a file says.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) slot: Option<Slot>,
    pub(super) rank: u8,
    pub(super) content: Result<Content, DocumentError>,
    pub(super) warnings: Vec<DocumentError>,
}

/// Valid content.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Entity(Arc<Entity>),
    OpenApi,
}

/// Reads a file; `None` if the platform reads nothing there.
pub(super) fn read(
    path: &str,
    blob: &BlobId,
    objects: &dyn Objects,
    check: &OpenApiCheck<'_>,
) -> Result<Option<Reading>, repository::Error> {
    let place = match Layout::place(path) {
        Ok(None) => return Ok(None),
        Ok(Some(place)) => place,
        Err(crate::layout::LayoutError::Stray) => {
            // Nothing is lost by it, so it does not count as invalid.
            let warning = DocumentError::about(path, "nothing is read from here").as_warning();
            return Ok(Some(Reading { slot: None, rank: 0, content: Err(warning), warnings: Vec::new() }));
        }
        Err(error) => {
            let error = DocumentError::about(path, error.to_string());
            return Ok(Some(Reading { slot: None, rank: 0, content: Err(error), warnings: Vec::new() }));
        }
    };
    let mut warnings = Vec::new();
    let content = match &place.slot {
        Slot::Entity(entity) => match objects.read_up_to(blob, document::MAX_DOCUMENT_BYTES)? {
            Err(size) => Err(document::too_large(path, size)),
            Ok(bytes) => document::parse_as(path, entity, &bytes).map(|document| {
                warnings = notes(path, &document.form, &document.ignored);
                Content::Entity(Arc::new(document.entity))
            }),
        },
        Slot::OpenApi { .. } => match objects.read_up_to(blob, MAX_OPENAPI_BYTES)? {
            Err(size) => Err(DocumentError::about(
                path,
                format!("the OpenAPI document has {size} bytes; at most {MAX_OPENAPI_BYTES} are allowed"),
            )),
            Ok(bytes) => check(&bytes)
                .map(|()| Content::OpenApi)
                .map_err(|message| DocumentError::about(path, message)),
        },
    };
    Ok(Some(Reading { slot: Some(place.slot), rank: place.rank, content, warnings }))
}

/// What the owner of a document in one of the original's forms should know.
fn notes(path: &str, form: &Form, ignored: &[String]) -> Vec<DocumentError> {
    if ignored.is_empty() {
        return Vec::new();
    }
    let message = format!("read in the form `{form}`; without effect: {}", ignored.join(", "));
    vec![DocumentError::about(path, message).as_warning()]
}

/// A file, its content, and what that says; nothing for files that are not read.
pub(super) type FileReading = (Arc<str>, BlobId, Option<Reading>);

/// Reads many files, on as many threads as the machine has processors.
pub(super) fn read_all(
    files: &[(Arc<str>, BlobId)],
    objects: &dyn Objects,
    check: &OpenApiCheck<'_>,
) -> Result<Vec<FileReading>, repository::Error> {
    const WORTH_A_THREAD: usize = 64;
    let one = |(path, blob): &(Arc<str>, BlobId)| {
        read(path, blob, objects, check).map(|reading| (Arc::clone(path), blob.clone(), reading))
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if files.len() < WORTH_A_THREAD || threads == 1 {
        return files.iter().map(one).collect();
    }
    let share = files.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let workers: Vec<_> = files
            .chunks(share)
            .map(|files| scope.spawn(move || files.iter().map(one).collect::<Result<Vec<_>, _>>()))
            .collect();
        let mut all = Vec::with_capacity(files.len());
        for worker in workers {
            match worker.join() {
                Ok(read) => all.extend(read?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(all)
    })
}
