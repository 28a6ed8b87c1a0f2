//! The saga on a real Apache Kafka.

#[path = "../../../event-bus/tests/it/broker.rs"]
mod broker;
mod crashes;
mod fencing;
mod fixture;
mod queues;
