//! The bus against a real Apache Kafka.

#![expect(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod broker;
mod consuming;
mod dead_letters;
mod fixture;
mod following;
mod group;
mod journal;
mod registry;
mod topics;
mod transactions;
mod views;
