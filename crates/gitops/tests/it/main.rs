//! The crate on real Git repositories in a temporary folder.

mod histories;
mod initial;
mod snapshot;
mod support;
mod writing;
