//! `POST /v1/tenants/{tenant}/deployments/sync`: brings what is declared to its gateways once more.

use std::collections::BTreeSet;

use actix_web::{
    HttpResponse,
    http::header::LOCATION,
    post,
    web::{Data, Path},
};
use domain::name::{EnvironmentName, GatewayName, TenantName};
use serde::{Deserialize, Serialize};
use web::{Authorized, Json, Problem, permission::ApisDeploy};

use super::create::Place;
use crate::routes::{
    State,
    around::COMMIT,
    committed::CHANGED,
    name,
    once::{Answer, Key, once},
    snapshot::Snapshot,
};

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Body {
    /// Its name or its uid.
    #[serde(alias = "api_id")]
    api: String,
    environment: String,
    /// None means all of the deployment.
    #[serde(default)]
    gateways: BTreeSet<GatewayName>,
}

#[post("/tenants/{tenant}/deployments/sync")]
pub(super) async fn sync(
    caller: Authorized<ApisDeploy>,
    tenant: Path<TenantName>,
    snapshot: Snapshot,
    Json(body): Json<Body>,
    key: Key,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let tenant = tenant.into_inner();
    once(&state, caller.principal(), key, &body, async |origin| {
        let api = name::api(&snapshot, &tenant, &body.api)?;
        let environment: EnvironmentName = name::given("environment", &body.environment)?;
        let gateways = body.gateways.clone();
        let (sync, commit) = state.commands.sync(&origin, &tenant, &api, &environment, gateways)?;
        let place = Place { tenant: tenant.clone(), api, environment };
        let id = place.group(&origin);
        let response = HttpResponse::Accepted()
            .insert_header((COMMIT, commit.as_str()))
            .insert_header((CHANGED, "false"))
            .insert_header((LOCATION, place.location(&id)))
            .json(place.view(Some(id), "pending", &commit, false, true));
        Ok(Answer::promising(response, Some(sync)))
    })
    .await
}
