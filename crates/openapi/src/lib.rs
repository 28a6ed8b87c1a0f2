#![doc = include_str!("../README.md")]

mod answer;
mod compile;
mod document;
mod error;
mod limits;
mod name;
mod pointer;
mod problem;
mod read;
mod request;
mod schema;
mod text;
mod tool;

pub use self::{
    answer::{Answer, Block},
    document::{Dialect, Document, Format, OperationSummary},
    error::{Error, Place},
    limits::Limits,
    name::{NAME_LENGTH, shorten},
    problem::{Problem, Severity},
    request::{ArgumentError, Body, Request, UrlError},
    schema::Violation,
    tool::{Annotations, Method, Tool},
};
