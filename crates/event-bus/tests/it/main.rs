//! The bus against a real Apache Kafka.

mod broker;
mod consuming;
mod dead_letters;
mod fixture;
mod following;
mod group;
mod registry;
mod topics;
mod transactions;
mod views;
