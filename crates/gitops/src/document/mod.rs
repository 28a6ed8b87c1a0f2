//! Typed documents: from the bytes of a file to an entity, and back.
//!
//! Read are the platform's own form (`apiVersion: stoa.io/v1`), the original's Kubernetes style and its flat
//! files; written is the own form only. A file is read in two passes: its shape first (duplicate keys, depth,
//! aliases, `kind`), then the plain form of its kind, because a reader of tagged forms knows no lines.

mod api;
mod application;
mod decode;
mod defaults;
mod deployment;
mod envelope;
mod environment;
mod error;
mod gateway;
mod plan;
mod policies;
mod promotion_request;
mod shape;
mod tenant;
mod tenant_variables;
mod users;
mod value;

use std::fmt;

use domain::entity::{Entity, EntityPath, Kind};
use schemars::Schema;

use self::{decode::Source, envelope::Context};
pub use self::{
    envelope::API_VERSION,
    error::{DocumentError, Severity},
};
use crate::{
    layout::{Layout, LayoutError, Slot},
    writer::Files,
};

/// The largest document that is read, OpenAPI documents apart.
pub const MAX_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;

/// A document as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What it declares.
    pub entity: Entity,
    /// The form in which it is written.
    pub form: Form,
    /// Fields of the original's forms that have no effect here.
    pub ignored: Vec<String>,
}

/// The form in which a document is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// The platform's own.
    Current,
    /// The original's Kubernetes style, with its `apiVersion`.
    Original(String),
    /// The original's flat style.
    Flat,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.write_str(API_VERSION),
            Self::Original(version) => f.write_str(version),
            Self::Flat => f.write_str("flat"),
        }
    }
}

/// Reads the document of an entity that stands at `path`.
///
/// Names in the document must agree with the path.
pub fn parse(path: &str, bytes: &[u8]) -> Result<Document, DocumentError> {
    match Layout::place(path) {
        Ok(Some(place)) => match place.slot {
            Slot::Entity(entity) => parse_as(path, &entity, bytes),
            Slot::OpenApi { .. } => Err(DocumentError::about(path, "an OpenAPI document declares no entity")),
        },
        Ok(None) => Err(DocumentError::about(path, LayoutError::Stray.to_string())),
        Err(error) => Err(DocumentError::about(path, error.to_string())),
    }
}

/// Reads the document of a known entity.
pub(crate) fn parse_as(path: &str, entity: &EntityPath, bytes: &[u8]) -> Result<Document, DocumentError> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(too_large(path, bytes.len()));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| DocumentError::about(path, format!("the file is not UTF-8: {error}")))?;
    let source = Source { path, text: text.trim_start_matches('\u{feff}') };
    let header = shape::check(source.text).map_err(|fault| source.fault(fault))?;
    let form = envelope::form_of(&source, entity.kind(), &header)?;
    let context = Context { source, path: entity, form };
    let (entity, ignored) = match entity.kind() {
        Kind::Defaults => defaults::read(&context),
        Kind::Environment => environment::read(&context),
        Kind::Gateway => gateway::read(&context),
        Kind::Plan => plan::read(&context),
        Kind::Tenant => tenant::read(&context),
        Kind::Users => users::read(&context),
        Kind::TenantVariables => tenant_variables::read(&context),
        Kind::Api => api::read(&context),
        Kind::Deployment => deployment::read(&context),
        Kind::Application => application::read(&context),
        Kind::PromotionRequest => promotion_request::read(&context),
    }?;
    let ignored = context.retired(ignored)?;
    Ok(Document { entity, form: context.form, ignored })
}

pub(crate) fn too_large(path: &str, size: usize) -> DocumentError {
    DocumentError::about(
        path,
        format!("the file has {size} bytes; a document has at most {MAX_DOCUMENT_BYTES}"),
    )
}

/// Writes the document of an entity, in the one form that is written.
#[must_use]
pub fn write(entity: &Entity) -> String {
    match entity {
        Entity::Defaults(it) => defaults::write(it),
        Entity::Environment(it) => environment::write(it),
        Entity::Gateway(it) => gateway::write(it),
        Entity::Plan(it) => plan::write(it),
        Entity::Tenant(it) => tenant::write(it),
        Entity::Users(it) => users::write(it),
        Entity::TenantVariables(it) => tenant_variables::write(it),
        Entity::Api(it) => api::write(it),
        Entity::Deployment(it) => deployment::write(it),
        Entity::Application(it) => application::write(it),
        Entity::PromotionRequest(it) => promotion_request::write(it),
    }
}

/// The files that declare these entities, where the layout puts them.
#[must_use]
pub fn files(entities: &[Entity]) -> Files {
    let file = |entity: &Entity| (Layout::path_of(&entity.path()), Some(write(entity).into_bytes()));
    entities.iter().map(file).collect()
}

/// The JSON Schema of a kind's documents in the form that is written, for editors.
///
/// It is made from the types that read the documents. What only the reader can tell is not in it: names that
/// disagree with the path, references to what is not there, the original's forms.
#[must_use]
pub fn schema(kind: Kind) -> Schema {
    match kind {
        Kind::Defaults => defaults::schema(),
        Kind::Environment => environment::schema(),
        Kind::Gateway => gateway::schema(),
        Kind::Plan => plan::schema(),
        Kind::Tenant => tenant::schema(),
        Kind::Users => users::schema(),
        Kind::TenantVariables => tenant_variables::schema(),
        Kind::Api => api::schema(),
        Kind::Deployment => deployment::schema(),
        Kind::Application => application::schema(),
        Kind::PromotionRequest => promotion_request::schema(),
    }
}

#[cfg(test)]
mod tests;
