//! `GET /v1/environments`.

use actix_web::{
    get,
    web::{Data, Json},
};
use domain::name::EnvironmentName;
use web::{AuthorizedAnywhere, Problem, Query, permission::ApisRead};

use super::view::EnvironmentView;
use crate::routes::{
    State,
    page::{Page, Paging, Params},
    snapshot::Snapshot,
};

#[get("/environments")]
pub(super) async fn list(
    _: AuthorizedAnywhere<ApisRead>,
    snapshot: Snapshot,
    Query(params): Query<Params>,
    state: Data<State>,
) -> Result<Json<Page<EnvironmentView>>, Problem> {
    let paging = Paging::of(&state, "environments", params.limit, params.cursor)?;
    let after: Option<EnvironmentName> = paging.after()?;
    let environments =
        snapshot.environments().filter(|it| after.as_ref().is_none_or(|after| it.name > *after));
    let view = |environment| EnvironmentView::of(&snapshot, environment);
    Ok(paging.page(environments, |last| last.name.clone(), view))
}
