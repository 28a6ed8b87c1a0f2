//! `POST /v1/tenants/{tenant}/deployments/{deployment}/rollback`: brings back what ran before that deployment, or
//! what another one, named in `to`, brought.

use actix_web::{
    HttpResponse, post,
    web::{Data, Path},
};
use domain::{id::CommitId, name::TenantName};
use serde::{Deserialize, Serialize};
use web::{Authorized, Kind, Problem, Raw, permission::ApisDeploy};

use super::{
    create::{Place, accepted},
    group,
};
use crate::{
    commands::Refusal,
    deployments::earlier_content,
    routes::{
        State,
        once::{Key, once},
        snapshot::{Snapshot, Wait},
    },
    store::{DeploymentFilter, DeploymentRow},
};

/// How far back a rollback looks for content that ran.
const LOOK_BACK: i64 = 200;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Body {
    /// The deployment whose content to bring back.
    #[serde(alias = "target_version")]
    to: Option<String>,
}

#[post("/tenants/{tenant}/deployments/{deployment}/rollback")]
pub(super) async fn rollback(
    caller: Authorized<ApisDeploy>,
    path: Path<(TenantName, String)>,
    _at: Snapshot,
    Raw(body): Raw,
    key: Key,
    wait: Wait,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let (tenant, deployment) = path.into_inner();
    let body: Body = if body.is_empty() {
        Body::default()
    } else {
        serde_json::from_slice(&body).map_err(|error| Problem::new(Kind::InvalidBody, error.to_string()))?
    };
    once(&state, caller.principal(), key, &body, async |origin| {
        let orders = group(&state, &tenant, &deployment).await?;
        let place = place(&tenant, &orders)?;
        let to = match &body.to {
            Some(to) => named_content(&state, &place, to).await?,
            None => content_before(&state, &place, &deployment).await?,
        };
        let Place { tenant, api, environment } = place.clone();
        let done = state.commands.rollback(&origin, tenant, api, environment, to).await?;
        accepted(&state, &origin, &done, wait, &place).await
    })
    .await
}

fn place(tenant: &TenantName, orders: &[DeploymentRow]) -> Result<Place, Problem> {
    let missing = || Problem::new(Kind::DeploymentNotFound, "there is no such deployment");
    let first = orders.first().ok_or_else(missing)?;
    Ok(Place {
        tenant: tenant.clone(),
        api: first.api.parse().map_err(|_| missing())?,
        environment: first.environment.parse().map_err(|_| missing())?,
    })
}

/// The content of the deployment `to`, which must be one of the same API in the same environment.
async fn named_content(state: &State, place: &Place, to: &str) -> Result<CommitId, Problem> {
    let orders = group(state, &place.tenant, to).await?;
    let same = |order: &&DeploymentRow| {
        order.api == place.api.as_str() && order.environment == place.environment.as_str()
    };
    let Some(order) = orders.iter().find(same) else {
        let detail = format!("`{to}` is not a deployment of `{}` to `{}`", place.api, place.environment);
        return Err(Problem::new(Kind::DeploymentNotFound, detail));
    };
    if order.kind != "apply" {
        let detail = format!("deployment `{to}` took the API away, so it has no content to bring back");
        return Err(Problem::new(Kind::Conflict, detail));
    }
    order.content_commit.parse().map_err(|error: domain::id::IdError| Problem::internal(&error))
}

async fn content_before(state: &State, place: &Place, deployment: &str) -> Result<CommitId, Problem> {
    let filter =
        DeploymentFilter { api: Some(place.api.as_str()), environment: Some(place.environment.as_str()) };
    let groups = state.store.deployment_groups(&place.tenant, &filter, None, LOOK_BACK).await?;
    let deployment = deployment.to_ascii_lowercase();
    earlier_content(&groups, Some(&deployment)).ok_or_else(|| {
        let (api, environment) = (place.api.clone(), place.environment.clone());
        Refusal::NothingEarlier { api, environment }.into()
    })
}
