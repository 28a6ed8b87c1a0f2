#![doc = include_str!("../README.md")]

mod announce;
mod app;
mod commands;
mod deployments;
mod desired;
mod engine;
mod group;
mod metrics;
mod projections;
mod recovery;
mod relay;
mod requests;
mod routes;
mod settings;
mod store;
#[cfg(test)]
mod testing;
mod wake;

pub use self::{
    app::App,
    settings::{GitSettings, RelaySettings, Settings},
};
