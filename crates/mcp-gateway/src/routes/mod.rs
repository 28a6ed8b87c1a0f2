//! What is served: compiled once per change, looked up without a lock.

mod compile;
mod list;
mod page;
mod table;

pub(crate) use self::{
    compile::{Access, Refusal, Route, ServedTool, Upstream, compile},
    list::{Audience, Era, page},
    page::Page,
    table::Table,
};
