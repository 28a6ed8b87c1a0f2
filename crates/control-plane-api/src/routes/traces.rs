//! `/v1/traces`: a change followed from its commit to the gateways.

mod get;
mod list;
mod timeline;
mod view;

use actix_web::web::ServiceConfig;
use domain::{
    name::TenantName,
    rbac::{Permission, Principal},
};
use web::{Kind, Problem};

use super::State;
use crate::store::TraceRow;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list::list).service(get::get).service(timeline::timeline);
}

/// A trace that the caller may see; to others it is not there.
async fn visible(state: &State, caller: &Principal, id: &str) -> Result<TraceRow, Problem> {
    let missing = || Problem::new(Kind::TraceNotFound, "there is no such trace");
    let row = state.store.trace(id).await?.ok_or_else(missing)?;
    let tenant: Option<TenantName> = row.tenant.parse().ok();
    match caller.may(Permission::ApisRead, tenant.as_ref()) {
        Ok(()) => Ok(row),
        Err(_) => Err(missing()),
    }
}
