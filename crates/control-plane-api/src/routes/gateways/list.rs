//! `GET /v1/environments/{environment}/gateways`.

use actix_web::{
    get,
    web::{Data, Json, Path},
};
use domain::name::{EnvironmentName, GatewayName};
use serde::Deserialize;
use web::{AuthorizedAnywhere, Kind, Problem, Query, permission::ApisRead};

use super::view::GatewayView;
use crate::routes::{
    State, name,
    page::{self, Page},
    snapshot::Snapshot,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    limit: Option<u32>,
    cursor: Option<String>,
}

#[get("/environments/{environment}/gateways")]
pub(super) async fn list(
    _: AuthorizedAnywhere<ApisRead>,
    environment: Path<String>,
    snapshot: Snapshot,
    Query(params): Query<Params>,
    state: Data<State>,
) -> Result<Json<Page<GatewayView>>, Problem> {
    let size = page::size(params.limit)?;
    let environment: EnvironmentName = name::in_path(Kind::EnvironmentNotFound, &environment)?;
    name::environment(&snapshot, &environment)?;
    let list = format!("gateways/{environment}");
    let after: Option<GatewayName> =
        params.cursor.map(|cursor| state.cursors.open(&list, &cursor)).transpose()?;
    let gateways =
        snapshot.gateways(&environment).filter(|it| after.as_ref().is_none_or(|after| it.name > *after));
    let page = Page::of(
        gateways.take(size + 1).collect(),
        size,
        |last| state.cursors.seal(&list, &last.name),
        |gateway| GatewayView::of(&snapshot, gateway),
    );
    Ok(Json(page))
}
