//! Variables of one tenant in one environment.

use crate::{
    name::{EnvironmentName, TenantName},
    variable::Variables,
};

/// Variables of one tenant in one environment; nearer than the environment's own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is its own name")]
pub struct TenantVariables {
    pub tenant: TenantName,
    pub environment: EnvironmentName,
    pub variables: Variables,
}
