//! Real servers as children, and the stand-ins over real connections.

#[cfg(test)]
mod apicurio;
#[cfg(test)]
mod broker;
#[cfg(test)]
mod python_client;
#[cfg(test)]
mod registry_contract;
#[cfg(test)]
mod sign_in;
