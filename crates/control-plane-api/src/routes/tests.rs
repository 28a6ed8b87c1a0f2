//! The API as a caller meets it.

mod apis;
mod deployments;
mod events;
mod gateways;
mod repeats;
mod syncs;
mod tenants;
mod traces;
mod waiting;
