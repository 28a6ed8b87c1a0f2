//! What the effective state wants of the gateways.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Classify, Disposition,
    entity::{
        Api, Content as Choice, Defaults, Deployment, DeploymentState, Entity, EntityPath, TenantVariables,
    },
    id::CommitId,
};
use gitops::{
    BlobId, Effective, Repository,
    repository::{self, PinError},
};

use super::{
    content::{Content, ContentError, Levels},
    orders::{Spot, Wanted, target},
};

/// What a deployment wants, or why that cannot be told.
#[derive(Debug)]
pub(crate) struct Deployments {
    /// What is to be served where.
    pub(crate) wanted: BTreeMap<Spot, Wanted>,
    /// Deployments that cannot be made now; what runs of them stays as it is.
    pub(crate) refused: Vec<Refused>,
}

/// A deployment that cannot be made.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) deployment: Deployment,
    /// A stable word.
    pub(crate) reason: &'static str,
    /// For people.
    pub(crate) message: String,
}

impl Refused {
    /// The deployment's path.
    pub(crate) fn path(&self) -> EntityPath {
        Entity::Deployment(self.deployment.clone()).path()
    }

    /// The spots of the deployment.
    pub(crate) fn spots(&self) -> BTreeSet<Spot> {
        spots(&self.deployment).collect()
    }
}

/// Why one deployment cannot be made.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("environment `{0}` is not declared")]
    NoEnvironment(String),
    #[error("tenant `{tenant}` may not deploy to `{environment}`")]
    NotAllowed { tenant: String, environment: String },
    #[error("API `{0}` is not declared, or has no valid OpenAPI document")]
    NoApi(String),
    #[error("gateway `{0}` is not declared")]
    NoGateway(String),
    #[error("the pinned commit cannot be deployed: {0}")]
    Pin(PinError),
    #[error("{}", runtime::chain(.0))]
    Content(#[from] ContentError),
}

impl Refusal {
    fn reason(&self) -> &'static str {
        match self {
            Self::NoEnvironment(_) => "environment-not-found",
            Self::NotAllowed { .. } => "environment-not-allowed",
            Self::NoApi(_) => "api-not-found",
            Self::NoGateway(_) => "gateway-not-found",
            Self::Pin(_) => "pin-not-found",
            Self::Content(error) => error.reason(),
        }
    }
}

enum Failed {
    /// The deployment cannot be made.
    Refused(Refusal),
    /// The mirror failed: try again.
    Repository(repository::Error),
}

impl From<repository::Error> for Failed {
    fn from(error: repository::Error) -> Self {
        Self::Repository(error)
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ContentError> for Failed {
    fn from(error: ContentError) -> Self {
        Self::Refused(error.into())
    }
}

/// Where a deployment is served when it is deployed.
fn spots(deployment: &Deployment) -> impl Iterator<Item = Spot> + use<'_> {
    deployment.gateways.iter().map(|gateway| Spot {
        tenant: deployment.tenant.clone(),
        api: deployment.api.clone(),
        environment: deployment.environment.clone(),
        gateway: gateway.clone(),
    })
}

/// What these deployments want at `head`. Blocks: it reads documents from the mirror.
pub(crate) fn of(
    effective: &Effective,
    repository: &Repository,
    head: &CommitId,
    deployments: &BTreeSet<EntityPath>,
) -> Result<Deployments, repository::Error> {
    let mut found = Deployments { wanted: BTreeMap::new(), refused: Vec::new() };
    for path in deployments {
        let Some(Entity::Deployment(deployment)) = effective.get(path).map(|declared| &*declared.entity)
        else {
            continue;
        };
        if deployment.state == DeploymentState::Absent {
            continue;
        }
        match one(effective, repository, head, deployment) {
            Ok(wanted) => found.wanted.extend(wanted),
            Err(Failed::Refused(refusal)) => found.refused.push(Refused {
                deployment: deployment.clone(),
                reason: refusal.reason(),
                message: refusal.to_string(),
            }),
            Err(Failed::Repository(error)) => return Err(error),
        }
    }
    Ok(found)
}

fn one(
    effective: &Effective,
    repository: &Repository,
    head: &CommitId,
    deployment: &Deployment,
) -> Result<BTreeMap<Spot, Wanted>, Failed> {
    let Deployment { tenant, api: name, environment, .. } = deployment;
    let declared = effective.environment(environment);
    let declared = declared.ok_or_else(|| Refusal::NoEnvironment(environment.to_string()))?;
    let owner = effective.tenant(tenant).ok_or_else(|| Refusal::NoApi(format!("{tenant}/{name}")))?;
    if !owner.environments.contains(environment) {
        let (tenant, environment) = (tenant.to_string(), environment.to_string());
        return Err(Refusal::NotAllowed { tenant, environment }.into());
    }
    let source = source(effective, repository, head, deployment)?;
    let text = repository.read(&source.blob)?;
    let levels = Levels {
        defaults: defaults(effective),
        environment: declared,
        tenant: tenant_variables(effective, deployment),
    };
    let content = Content::of(&source.api, &text, media_type_of(&source.path), levels)?;
    let mut wanted = BTreeMap::new();
    for spot in spots(deployment) {
        let gateway = effective.gateway(environment, &spot.gateway);
        let gateway = gateway.ok_or_else(|| Refusal::NoGateway(format!("{environment}/{}", spot.gateway)))?;
        let target = target(gateway);
        wanted.insert(
            spot,
            Wanted {
                content: content.clone(),
                content_commit: source.commit.clone(),
                uid: source.api.uid,
                version: source.api.version.clone(),
                display_name: source.api.display_name.clone(),
                description: source.api.description.clone(),
                target,
            },
        );
    }
    Ok(wanted)
}

/// An API's declaration and document, and the commit that they come from.
struct SourceOfApi {
    api: Api,
    blob: BlobId,
    path: String,
    commit: CommitId,
}

fn source(
    effective: &Effective,
    repository: &Repository,
    head: &CommitId,
    deployment: &Deployment,
) -> Result<SourceOfApi, Failed> {
    let Deployment { tenant, api: name, .. } = deployment;
    match &deployment.content {
        Choice::FollowHead => {
            let missing = || Refusal::NoApi(format!("{tenant}/{name}"));
            let (api, declared) = effective.api(tenant, name).ok_or_else(missing)?;
            let openapi = declared.openapi.as_ref().ok_or_else(missing)?;
            Ok(SourceOfApi {
                api: api.clone(),
                blob: openapi.origin.blob.clone(),
                path: openapi.path.to_string(),
                commit: head.clone(),
            })
        }
        Choice::Pin(commit) => match repository.api_at(commit, head, tenant, name) {
            Ok(pinned) => Ok(SourceOfApi {
                api: pinned.api,
                blob: pinned.openapi,
                path: pinned.openapi_path,
                commit: pinned.commit,
            }),
            Err(PinError::Repository(error)) if error.disposition() == Disposition::Retry => {
                Err(error.into())
            }
            Err(error) => Err(Refusal::Pin(error).into()),
        },
    }
}

fn defaults(effective: &Effective) -> Option<&Defaults> {
    match &*effective.get(&EntityPath::Defaults)?.entity {
        Entity::Defaults(defaults) => Some(defaults),
        _ => None,
    }
}

fn tenant_variables<'a>(effective: &'a Effective, deployment: &Deployment) -> Option<&'a TenantVariables> {
    let path = EntityPath::TenantVariables {
        tenant: deployment.tenant.clone(),
        environment: deployment.environment.clone(),
    };
    match &*effective.get(&path)?.entity {
        Entity::TenantVariables(variables) => Some(variables),
        _ => None,
    }
}

/// The media type of a document, by its file's name.
pub(super) fn media_type_of(path: &str) -> &'static str {
    let json = std::path::Path::new(path).extension().is_some_and(|extension| extension == "json");
    crate::commands::media_type(json)
}
