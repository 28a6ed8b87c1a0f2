//! Topic `catalog-gateways`.

use serde::{Deserialize, Serialize};

use domain::{
    id::{CommitId, Revision},
    name::{EnvironmentName, GatewayName},
};

use crate::{event::event, parts::GatewayKind, topics};

/// Desired state of a gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogGateway {
    /// The environment.
    pub environment: EnvironmentName,
    /// The name inside the environment.
    pub gateway: GatewayName,
    /// The product.
    pub kind: GatewayKind,
    /// Where callers reach its data plane.
    pub address: String,
    /// The revision that this state derives from.
    pub revision: Revision,
    /// The commit that this state derives from.
    pub commit: CommitId,
}

event!(
    CatalogGateway,
    topics::CATALOG_GATEWAYS,
    "catalog-gateways",
    1,
    key = |record| format!("{}/{}", record.environment, record.gateway),
    subject = |record| format!("environments/{}/gateways/{}", record.environment, record.gateway)
);
