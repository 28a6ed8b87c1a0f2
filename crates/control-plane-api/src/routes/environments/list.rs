//! `GET /v1/environments`.

use actix_web::{
    get,
    web::{Data, Json},
};
use domain::name::EnvironmentName;
use serde::Deserialize;
use web::{AuthorizedAnywhere, Problem, Query, permission::ApisRead};

use super::view::EnvironmentView;
use crate::routes::{
    State,
    page::{self, Page},
    snapshot::Snapshot,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    limit: Option<u32>,
    cursor: Option<String>,
}

#[get("/environments")]
pub(super) async fn list(
    _: AuthorizedAnywhere<ApisRead>,
    snapshot: Snapshot,
    Query(params): Query<Params>,
    state: Data<State>,
) -> Result<Json<Page<EnvironmentView>>, Problem> {
    let size = page::size(params.limit)?;
    let list = "environments";
    let after: Option<EnvironmentName> =
        params.cursor.map(|cursor| state.cursors.open(list, &cursor)).transpose()?;
    let environments =
        snapshot.environments().filter(|it| after.as_ref().is_none_or(|after| it.name > *after));
    let page = Page::of(
        environments.take(size + 1).collect(),
        size,
        |last| state.cursors.seal(list, &last.name),
        |environment| EnvironmentView::of(&snapshot, environment),
    );
    Ok(Json(page))
}
