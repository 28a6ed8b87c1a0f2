//! The real Kafka as a child, with our registry on it.

#[cfg(test)]
mod broker;
#[cfg(test)]
mod python_client;
