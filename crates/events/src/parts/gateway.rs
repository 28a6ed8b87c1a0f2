//! Gateways as orders and the catalogue name them.

use serde::{Deserialize, Serialize};

/// The product that a gateway is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatewayKind {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// The gateway that STOA brings.
    Builtin,
    /// webMethods API Gateway.
    Webmethods,
}

/// The gateway that an order drives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GatewayTarget {
    /// The product.
    pub kind: GatewayKind,
    /// Where callers reach its data plane.
    pub address: String,
}
