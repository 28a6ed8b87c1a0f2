//! `POST /v1/tenants/{tenant}/deployments`: asks for an API to run in an environment, or to be gone from it.

use std::collections::BTreeSet;

use actix_web::{
    HttpResponse,
    http::StatusCode,
    post,
    web::{Data, Path},
};
use domain::{
    entity::{Content, DeploymentState},
    id::CommitId,
    name::{ApiName, EnvironmentName, GatewayName, TenantName},
};
use serde::{Deserialize, Serialize};
use web::{Authorized, Json, Problem, permission::ApisDeploy};

use super::view::AcceptedView;
use crate::{
    commands::{Deploy, Done, Origin},
    deployments,
    group::group_of,
    routes::{
        State,
        committed::committed,
        name,
        once::{Answer, Key, once},
        snapshot::{Snapshot, Wait},
    },
    store::DeploymentFilter,
};

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// Its name or its uid.
    #[serde(alias = "api_id")]
    api: String,
    environment: String,
    /// None means all of the environment.
    #[serde(default)]
    gateways: BTreeSet<GatewayName>,
    /// None means what the repository holds now, and whatever it holds later.
    pin: Option<CommitId>,
    #[serde(default = "deployed")]
    state: DeploymentState,
}

fn deployed() -> DeploymentState {
    DeploymentState::Deployed
}

#[post("/tenants/{tenant}/deployments")]
pub(super) async fn create(
    caller: Authorized<ApisDeploy>,
    tenant: Path<TenantName>,
    snapshot: Snapshot,
    Json(body): Json<Body>,
    key: Key,
    wait: Wait,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let tenant = tenant.into_inner();
    once(&state, caller.principal(), key, &body, async |origin| {
        let api = name::api(&snapshot, &tenant, &body.api)?;
        let environment: EnvironmentName = name::given("environment", &body.environment)?;
        let place = Place { tenant: tenant.clone(), api: api.clone(), environment: environment.clone() };
        let done = match body.state {
            DeploymentState::Deployed => {
                let wanted = Deploy {
                    tenant: tenant.clone(),
                    api,
                    environment,
                    gateways: body.gateways.clone().into(),
                    content: body.pin.clone().map_or(Content::FollowHead, Content::Pin),
                };
                state.commands.deploy(&origin, wanted).await?
            }
            DeploymentState::Absent => {
                state.commands.undeploy(&origin, tenant.clone(), api, environment).await?
            }
        };
        accepted(&state, &origin, &done, wait, &place).await
    })
    .await
}

/// What is deployed where.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) tenant: TenantName,
    pub(super) api: ApiName,
    pub(super) environment: EnvironmentName,
}

/// The answer: 202 with the deployment that follows, or 200 with the newest one if there is nothing to do.
pub(super) async fn accepted(
    state: &State,
    origin: &Origin,
    done: &Done,
    wait: Wait,
    place: &Place,
) -> Result<Answer, Problem> {
    let sync = state.commands.again(origin, done, &state.store).await?;
    let follows = done.changed || sync.is_some();
    let (id, status) = if follows {
        (Some(place.group(origin)), "pending")
    } else {
        let Place { tenant, api, environment } = place;
        let filter = DeploymentFilter { api: Some(api.as_str()), environment: Some(environment.as_str()) };
        let newest = state.store.deployment_groups(tenant, &filter, None, 1).await?;
        let orders = newest.first().map(Vec::as_slice).unwrap_or_default();
        let id = orders.first().map(|order| order.group.clone());
        (id, if orders.is_empty() { "none" } else { deployments::status(orders) })
    };
    let location = id.as_ref().map(|id| place.location(id));
    let code = if follows { StatusCode::ACCEPTED } else { StatusCode::OK };
    let view = place.view(id, status, &done.commit, done.changed, sync.is_some());
    let response = committed(state, done, wait, code, location.as_deref(), Some(&view)).await;
    Ok(Answer::promising(response, sync))
}

impl Place {
    /// The deployment that follows from a request.
    pub(super) fn group(&self, origin: &Origin) -> String {
        group_of(&origin.request, &self.tenant, &self.api, &self.environment).to_string()
    }

    /// Where a deployment is looked at.
    pub(super) fn location(&self, id: &str) -> String {
        format!("/v1/tenants/{}/deployments/{id}", self.tenant)
    }

    /// What is said of a deployment that was asked for.
    pub(super) fn view(
        &self,
        id: Option<String>,
        status: &'static str,
        commit: &CommitId,
        changed: bool,
        synced: bool,
    ) -> AcceptedView {
        AcceptedView {
            id,
            tenant_id: self.tenant.to_string(),
            api_id: self.api.to_string(),
            environment: self.environment.to_string(),
            status,
            commit: commit.to_string(),
            changed,
            synced,
        }
    }
}
