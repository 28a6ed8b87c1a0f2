//! The real Kafka as a child, with our registry on it.

mod broker;
mod python_client;
