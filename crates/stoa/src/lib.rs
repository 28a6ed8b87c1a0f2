#![doc = include_str!("../README.md")]

mod cli;
mod client;
mod commands;
mod connection;
mod output;
mod progress;
mod session;
mod up;

pub use self::{cli::Cli, commands::run};
