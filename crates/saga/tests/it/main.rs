//! The saga on a real Apache Kafka.

#![expect(clippy::unwrap_used, reason = "a test ends where it is surprised")]

#[path = "../../../event-bus/tests/it/broker.rs"]
mod broker;
mod crashes;
mod fencing;
mod fixture;
mod queues;
