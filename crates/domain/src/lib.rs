//! Names, entities, roles and pure decisions of STOA; no async, no I/O.

pub mod failure;
pub mod id;
pub mod name;
pub mod rbac;

pub use self::failure::{Classify, Disposition, Failure};
