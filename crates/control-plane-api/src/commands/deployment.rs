//! What runs where: deployed, taken away, rolled back.

use std::collections::BTreeSet;

use domain::{
    entity::{Content, Deployment, DeploymentState, Entity, EntityPath, Tenant},
    id::CommitId,
    name::{ApiName, EnvironmentName, GatewayName, TenantName},
};
use gitops::{Files, Repository, repository::PinError};

use super::{CommandError, Commands, Decision, Done, Origin, Refusal, is_broken, put};
use crate::desired::Desired;

/// An API in an environment, as somebody wants it.
#[derive(Clone, Debug)]
pub(crate) struct Deploy {
    pub(crate) tenant: TenantName,
    pub(crate) api: ApiName,
    pub(crate) environment: EnvironmentName,
    pub(crate) gateways: Gateways,
    pub(crate) content: Content,
}

/// The gateways that serve it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gateways {
    /// All of the environment.
    All,
    /// These.
    Named(BTreeSet<GatewayName>),
}

impl From<BTreeSet<GatewayName>> for Gateways {
    /// No name means all, as in the records of request topics.
    fn from(named: BTreeSet<GatewayName>) -> Self {
        if named.is_empty() { Self::All } else { Self::Named(named) }
    }
}

impl Commands {
    /// Deploys what the head or a commit holds of an API.
    pub(crate) async fn deploy(&self, origin: &Origin, wanted: Deploy) -> Result<Done, CommandError> {
        let about = path(&wanted.tenant, &wanted.api, &wanted.environment);
        self.carry_out(origin, about, move |state, repository| {
            let Deploy { tenant, api, environment, .. } = &wanted;
            let declared = state.tenant(tenant).ok_or_else(|| Refusal::TenantNotFound(tenant.clone()))?;
            if state.api(tenant, api).is_none() {
                let (tenant, api) = (tenant.clone(), api.clone());
                return Err(Refusal::ApiNotFound { tenant, api }.into());
            }
            let mut files = Files::new();
            add(&mut files, state, repository, declared, &wanted)?;
            let what = match &wanted.content {
                Content::FollowHead => api.to_string(),
                Content::Pin(commit) => format!("{api} of {}", short(commit)),
            };
            Ok(Decision { files, message: format!("Deploy {tenant}/{what} to {environment}") })
        })
        .await
    }

    /// Takes an API off the gateways of an environment.
    pub(crate) async fn undeploy(
        &self,
        origin: &Origin,
        tenant: TenantName,
        api: ApiName,
        environment: EnvironmentName,
    ) -> Result<Done, CommandError> {
        let about = path(&tenant, &api, &environment);
        self.carry_out(origin, about, move |state, _| {
            let present = present(state, &tenant, &api, &environment)?;
            let mut files = Files::new();
            if present.state != DeploymentState::Absent {
                let absent = Deployment { state: DeploymentState::Absent, ..present.clone() };
                put(&mut files, &Entity::Deployment(absent))?;
            }
            Ok(Decision { files, message: format!("Undeploy {tenant}/{api} from {environment}") })
        })
        .await
    }

    /// Brings back what a commit held of an API, on the gateways that serve it.
    pub(crate) async fn rollback(
        &self,
        origin: &Origin,
        tenant: TenantName,
        api: ApiName,
        environment: EnvironmentName,
        to: CommitId,
    ) -> Result<Done, CommandError> {
        let about = path(&tenant, &api, &environment);
        self.carry_out(origin, about, move |state, repository| {
            let present = present(state, &tenant, &api, &environment)?;
            let declared = state.tenant(&tenant).ok_or_else(|| Refusal::TenantNotFound(tenant.clone()))?;
            let wanted = Deploy {
                tenant: tenant.clone(),
                api: api.clone(),
                environment: environment.clone(),
                gateways: Gateways::Named(present.gateways.clone()),
                content: Content::Pin(to.clone()),
            };
            let mut files = Files::new();
            add(&mut files, state, repository, declared, &wanted)?;
            let message = format!("Roll {tenant}/{api} in {environment} back to {}", short(&to));
            Ok(Decision { files, message })
        })
        .await
    }
}

/// Adds a deployment's document to a commit, unless it says the same already.
///
/// The API itself is the caller's matter: a registration declares it in the same commit.
pub(super) fn add(
    files: &mut Files,
    state: &Desired,
    repository: &Repository,
    tenant: &Tenant,
    wanted: &Deploy,
) -> Result<(), CommandError> {
    let Deploy { api, environment, .. } = wanted;
    if state.environment(environment).is_none() {
        return Err(Refusal::EnvironmentNotFound(environment.clone()).into());
    }
    if !tenant.environments.contains(environment) {
        let (tenant, environment) = (tenant.name.clone(), environment.clone());
        return Err(Refusal::EnvironmentClosed { tenant, environment }.into());
    }
    let gateways = gateways(state, environment, &wanted.gateways)?;
    if let Content::Pin(commit) = &wanted.content {
        check_pin(repository, state, &tenant.name, api, commit)?;
    }
    let deployment = Deployment {
        tenant: tenant.name.clone(),
        api: api.clone(),
        environment: environment.clone(),
        content: wanted.content.clone(),
        gateways,
        state: DeploymentState::Deployed,
    };
    let path = path(&tenant.name, api, environment);
    let entity = Entity::Deployment(deployment);
    if state.get(&path).is_none_or(|it| *it.entity != entity) || is_broken(state, &path) {
        put(files, &entity)?;
    }
    Ok(())
}

/// The gateways that are meant, all of which exist.
fn gateways(
    state: &Desired,
    environment: &EnvironmentName,
    wanted: &Gateways,
) -> Result<BTreeSet<GatewayName>, Refusal> {
    match wanted {
        Gateways::All => {
            let all: BTreeSet<_> = state.gateways(environment).map(|gateway| gateway.name.clone()).collect();
            if all.is_empty() { Err(Refusal::NoGateway(environment.clone())) } else { Ok(all) }
        }
        Gateways::Named(named) => {
            match named.iter().find(|gateway| !state.has_gateway(environment, gateway)) {
                Some(missing) => Err(Refusal::GatewayNotFound {
                    environment: environment.clone(),
                    gateway: missing.clone(),
                }),
                None => Ok(named.clone()),
            }
        }
    }
}

fn check_pin(
    repository: &Repository,
    state: &Desired,
    tenant: &TenantName,
    api: &ApiName,
    commit: &CommitId,
) -> Result<(), CommandError> {
    let refused = |message: String| Refusal::InvalidPin { commit: commit.clone(), message }.into();
    let Some(head) = state.commit() else {
        return Err(refused("the repository has no commits".to_owned()));
    };
    match repository.api_at(commit, head, tenant, api) {
        Ok(_) => Ok(()),
        Err(PinError::Repository(error)) => Err(error.into()),
        Err(error) => Err(refused(error.to_string())),
    }
}

pub(super) fn present<'a>(
    state: &'a Desired,
    tenant: &TenantName,
    api: &ApiName,
    environment: &EnvironmentName,
) -> Result<&'a Deployment, Refusal> {
    let missing = || Refusal::NotDeployed { api: api.clone(), environment: environment.clone() };
    state.deployment(tenant, api, environment).ok_or_else(missing)
}

pub(super) fn path(tenant: &TenantName, api: &ApiName, environment: &EnvironmentName) -> EntityPath {
    EntityPath::Deployment { tenant: tenant.clone(), api: api.clone(), environment: environment.clone() }
}

/// The start of a commit's id, as people write it.
fn short(commit: &CommitId) -> &str {
    commit.as_str().get(..8).unwrap_or_default()
}
