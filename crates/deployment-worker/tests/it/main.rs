//! The worker on a real Apache Kafka, with a gateway of the tests.

#![expect(clippy::unwrap_used, reason = "a test ends where it is surprised")]

#[path = "../../../event-bus/tests/it/broker.rs"]
mod broker;
mod deploying;
mod fixture;
mod gateway;
mod trouble;
