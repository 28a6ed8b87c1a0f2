//! `/v1/tenants/{tenant}/deployments`.

mod create;
mod get;
mod list;
mod logs;
mod rollback;
mod status;
mod sync;
mod view;

use actix_web::web::ServiceConfig;
use domain::name::TenantName;
use uuid::Uuid;
use web::{Kind, Problem};

use super::State;
use crate::store::DeploymentRow;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(list::list)
        .service(create::create)
        .service(sync::sync)
        .service(status::status)
        .service(get::get)
        .service(rollback::rollback)
        .service(logs::logs);
}

/// The orders of a deployment, of which there is at least one.
async fn group(state: &State, tenant: &TenantName, id: &str) -> Result<Vec<DeploymentRow>, Problem> {
    let missing =
        || Problem::new(Kind::DeploymentNotFound, format!("tenant `{tenant}` has no such deployment"));
    let id = Uuid::try_parse(id).map_err(|_| missing())?;
    let orders = state.store.deployment_group(tenant, id).await?;
    if orders.is_empty() { Err(missing()) } else { Ok(orders) }
}
