#![doc = include_str!("../README.md")]

mod app;
mod builtin;
mod deployments;
mod history;
mod memory;
mod metrics;
mod preflight;
#[cfg(test)]
mod sample;
mod settings;
mod target;
mod targets;

pub use self::{
    app::App,
    settings::{DeploySettings, Settings},
};
