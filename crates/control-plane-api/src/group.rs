//! The id under which the orders of one request, or of one commit, belong together.

use domain::{
    id::derived_id,
    name::{ApiName, EnvironmentName, TenantName},
};
use uuid::Uuid;

/// The group of the orders that follow from `request` for an API in an environment.
///
/// `request` is what the trailer of the commit names; for a commit without a valid one, the commit's own id. The
/// command that makes the commit and the relay that makes the orders derive the same group.
pub(crate) fn group_of(
    request: &str,
    tenant: &TenantName,
    api: &ApiName,
    environment: &EnvironmentName,
) -> Uuid {
    derived_id(&["group", request, &format!("{tenant}/{api}/{environment}")])
}
