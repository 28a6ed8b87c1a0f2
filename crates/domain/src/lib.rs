#![doc = include_str!("../README.md")]

pub mod entity;
pub mod failure;
pub mod id;
pub mod name;
pub mod rbac;
pub mod secret;
pub mod variable;

pub use self::failure::{Classify, Disposition, Failure};
