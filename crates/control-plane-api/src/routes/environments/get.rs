//! `GET /v1/environments/{environment}`.

use actix_web::{
    get as http_get,
    web::{Json, Path},
};
use domain::name::EnvironmentName;
use web::{AuthorizedAnywhere, Kind, Problem, permission::ApisRead};

use super::view::EnvironmentView;
use crate::routes::{name, snapshot::Snapshot};

#[http_get("/environments/{environment}")]
pub(super) async fn get(
    _: AuthorizedAnywhere<ApisRead>,
    environment: Path<String>,
    snapshot: Snapshot,
) -> Result<Json<EnvironmentView>, Problem> {
    let name: EnvironmentName = name::in_path(Kind::EnvironmentNotFound, &environment)?;
    let found = name::environment(&snapshot, &name)?;
    Ok(Json(EnvironmentView::of(&snapshot, found)))
}
