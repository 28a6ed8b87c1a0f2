#![doc = include_str!("../README.md")]

pub mod access;
mod broadcast;
mod bus;
mod client;
mod consumer;
mod dead_letter;
mod decode;
mod delivery;
mod error;
mod follow;
mod handle;
mod journal;
mod left_out;
mod metrics;
mod producer;
mod read;
mod record;
mod registry;
mod settings;
mod shared;
pub mod signature;
#[cfg(feature = "testing")]
pub mod testing;
mod topics;
mod transactional;
mod view;

pub use self::{
    broadcast::From,
    bus::Bus,
    consumer::{Consumption, Hold, Partitioned, Start},
    dead_letter::{DeadLetter, DeadLetters, Reason},
    delivery::Delivery,
    error::Error,
    follow::Followers,
    handle::{Handle, Update},
    journal::Journal,
    producer::{Outgoing, Position, Producer},
    registry::{Registry, RegistryError},
    settings::Settings,
    topics::{Applied, Drift, Topics},
    transactional::Transactional,
    view::{Change, View},
};
