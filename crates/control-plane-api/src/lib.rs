//! REST, streams and the relay from Git to topics.

mod announce;
mod commands;
mod desired;
mod group;
mod projections;
mod relay;
mod settings;
mod store;
mod wake;
