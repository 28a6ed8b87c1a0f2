//! The worker on a real Apache Kafka, with a gateway of the tests.

#[path = "../../../event-bus/tests/it/broker.rs"]
mod broker;
mod deploying;
mod fixture;
mod gateway;
mod trouble;
