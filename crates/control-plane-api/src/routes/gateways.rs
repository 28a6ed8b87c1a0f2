//! `/v1/environments/{environment}/gateways`.

mod delete;
mod get;
mod list;
mod put;
mod view;

use actix_web::web::ServiceConfig;
use domain::name::{EnvironmentName, GatewayName};
use web::{Kind, Problem};

use super::name;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list::list).service(get::get).service(put::put).service(delete::delete);
}

/// The names in a path.
fn names((environment, gateway): (String, String)) -> Result<(EnvironmentName, GatewayName), Problem> {
    Ok((
        name::in_path(Kind::EnvironmentNotFound, &environment)?,
        name::in_path(Kind::GatewayNotFound, &gateway)?,
    ))
}
