//! A gateway: where an environment's APIs are deployed to.

use crate::{
    name::{EnvironmentName, GatewayName},
    secret::SecretReference,
};

/// A gateway of an environment.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    /// The environment that it serves.
    pub environment: EnvironmentName,
    /// The name inside the environment.
    pub name: GatewayName,
    /// The name for people.
    pub display_name: String,
    /// What it is, for people.
    pub description: String,
    /// What it is, for the machine.
    pub kind: GatewayKind,
    /// Where callers reach its data plane; the worker probes there.
    pub address: String,
}

/// What a gateway is, with what only that kind needs.
#[derive(Clone, Debug, PartialEq)]
pub enum GatewayKind {
    /// The platform's own.
    Builtin,
    /// webMethods API Gateway.
    WebMethods(WebMethods),
}

/// How to administer a webMethods API Gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct WebMethods {
    /// The address of its administration API.
    pub admin_url: String,
    /// Where its credentials are kept.
    pub credentials: SecretReference,
    /// The alias of the authorization server that its tokens come from.
    pub auth_server_alias: String,
}
