//! The real Kafka as a child, with our registry on it.

#[cfg(test)]
mod apicurio;
#[cfg(test)]
mod broker;
#[cfg(test)]
mod python_client;
#[cfg(test)]
mod registry_contract;
