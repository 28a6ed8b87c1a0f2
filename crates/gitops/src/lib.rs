#![doc = include_str!("../README.md")]

pub mod document;
pub mod effective;
mod initial;
pub mod layout;
pub mod repository;
mod trailer;
mod writer;

pub use self::{
    document::{Document, DocumentError, Form, Severity},
    effective::Effective,
    initial::Initial,
    layout::Layout,
    repository::{BlobId, Remote, Repository},
    trailer::Trailers,
    writer::{Author, Files, WriteError, Writer},
};
