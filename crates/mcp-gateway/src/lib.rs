#![doc = include_str!("../README.md")]

mod access;
mod acks;
mod app;
mod builtin;
mod catalogue;
mod follow;
mod gateway;
mod gzip;
mod heartbeat;
mod mcp;
mod metrics;
mod proxy;
mod routes;
mod settings;
mod upstream;

pub use self::{
    app::App,
    catalogue::{Catalogue, Records},
    gateway::{Gateway, Identity},
    settings::{McpSettings, Settings},
};
