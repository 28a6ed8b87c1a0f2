//! `GET /v1/environments/{environment}/gateways`.

use actix_web::{
    get,
    web::{Data, Json, Path},
};
use domain::name::{EnvironmentName, GatewayName};
use web::{AuthorizedAnywhere, Kind, Problem, Query, permission::ApisRead};

use super::view::GatewayView;
use crate::routes::{
    State, name,
    page::{Page, Paging, Params},
    snapshot::Snapshot,
};

#[get("/environments/{environment}/gateways")]
pub(super) async fn list(
    _: AuthorizedAnywhere<ApisRead>,
    environment: Path<String>,
    snapshot: Snapshot,
    Query(params): Query<Params>,
    state: Data<State>,
) -> Result<Json<Page<GatewayView>>, Problem> {
    let environment: EnvironmentName = name::in_path(Kind::EnvironmentNotFound, &environment)?;
    name::environment(&snapshot, &environment)?;
    let paging = Paging::of(&state, format!("gateways/{environment}"), params.limit, params.cursor)?;
    let after: Option<GatewayName> = paging.after()?;
    let gateways =
        snapshot.gateways(&environment).filter(|it| after.as_ref().is_none_or(|after| it.name > *after));
    Ok(paging.page(gateways, |last| last.name.clone(), |gateway| GatewayView::of(&snapshot, gateway)))
}
