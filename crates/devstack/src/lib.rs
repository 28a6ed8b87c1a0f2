#![doc = include_str!("../README.md")]

mod backbone;
pub mod cache;
pub mod issuer;
pub mod kafka;
pub mod local;
pub mod petstore;
pub mod ports;
pub mod private_file;
pub mod process;
pub mod registry;

pub use self::backbone::{Backbone, Error, serve_registry};
