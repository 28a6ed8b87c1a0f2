//! The desired state in memory: an immutable snapshot at one commit, swapped whole.
//!
//! Reads are answered from it alone. It also tells which files hold an entity, so that a change can be refused
//! when somebody else changed them first.

mod ahead;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use domain::{
    entity::{Api, Deployment, Entity, EntityPath, Environment, Gateway, Kind, Tenant},
    id::{CommitId, Digest, Revision},
    name::{ApiName, EnvironmentName, GatewayName, TenantName},
};
use gitops::{
    BlobId, DocumentError, Layout, Repository,
    effective::{Declared, Effective},
};
use tokio::sync::watch;
use uuid::Uuid;

/// The state that Git wants at one commit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Desired {
    revision: Revision,
    effective: Effective,
    /// APIs by uid, made when somebody asks.
    uids: OnceLock<HashMap<Uuid, EntityPath>>,
}

/// A file of the branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) blob: BlobId,
}

impl Desired {
    /// The effective state that the relay reached with `revision`.
    pub(crate) fn of(effective: &Effective, revision: Revision) -> Self {
        Self { revision, effective: effective.clone(), uids: OnceLock::new() }
    }

    /// The commit; none before there is any.
    pub(crate) fn commit(&self) -> Option<&CommitId> {
        self.effective.commit()
    }

    /// All of it.
    pub(crate) fn effective(&self) -> &Effective {
        &self.effective
    }

    /// An entity.
    pub(crate) fn get(&self, path: &EntityPath) -> Option<&Arc<Declared>> {
        self.effective.get(path)
    }

    /// The files of the branch that hold an entity, valid or not.
    pub(crate) fn files(&self, path: &EntityPath) -> impl Iterator<Item = SourceFile> {
        let rows = places(path).into_iter().filter_map(|path| self.effective.row(&path));
        rows.filter_map(|row| Some(SourceFile { path: row.path.to_string(), blob: row.head.clone()? }))
    }

    /// The version of these files, for conditions on changes; none where there are none.
    pub(crate) fn etag(&self, path: &EntityPath) -> Option<Digest> {
        let mut text = String::new();
        for file in self.files(path) {
            text.extend([file.path.as_str(), "\n", file.blob.as_str(), "\n"]);
        }
        (!text.is_empty()).then(|| Digest::of(text.as_bytes()))
    }

    /// What is wrong with these files, so that they are not in effect, or odd about them.
    pub(crate) fn problems(&self, path: &EntityPath) -> impl Iterator<Item = &DocumentError> {
        places(path).into_iter().filter_map(|path| self.effective.row(&path)).flat_map(|row| &row.problems)
    }

    /// A tenant.
    pub(crate) fn tenant(&self, tenant: &TenantName) -> Option<&Tenant> {
        self.effective.tenant(tenant)
    }

    /// An API.
    pub(crate) fn api(&self, tenant: &TenantName, api: &ApiName) -> Option<&Api> {
        self.effective.api(tenant, api).map(|(api, _)| api)
    }

    /// The API of a tenant that has this uid.
    pub(crate) fn api_by_uid(&self, tenant: &TenantName, uid: Uuid) -> Option<&Api> {
        let index = || {
            let apis = self.effective.of_kind(Kind::Api);
            apis.filter_map(|(path, it)| Some((it.entity.uid()?, path.clone()))).collect()
        };
        match self.uids.get_or_init(index).get(&uid)? {
            EntityPath::Api { tenant: owner, api } if owner == tenant => self.api(tenant, api),
            _ => None,
        }
    }

    /// An environment.
    pub(crate) fn environment(&self, environment: &EnvironmentName) -> Option<&Environment> {
        self.effective.environment(environment)
    }

    /// What runs of an API in an environment.
    pub(crate) fn deployment(
        &self,
        tenant: &TenantName,
        api: &ApiName,
        environment: &EnvironmentName,
    ) -> Option<&Deployment> {
        let path = EntityPath::Deployment {
            tenant: tenant.clone(),
            api: api.clone(),
            environment: environment.clone(),
        };
        deployment(self.get(&path)?)
    }

    /// The environments.
    pub(crate) fn environments(&self) -> impl Iterator<Item = &Environment> {
        self.effective.of_kind(Kind::Environment).filter_map(|(_, it)| match &*it.entity {
            Entity::Environment(it) => Some(it),
            _ => None,
        })
    }

    /// The gateways of an environment.
    pub(crate) fn gateways(&self, environment: &EnvironmentName) -> impl Iterator<Item = &Gateway> {
        let gateways = self.effective.of_kind(Kind::Gateway).filter_map(|(_, it)| match &*it.entity {
            Entity::Gateway(it) => Some(it),
            _ => None,
        });
        gateways.filter(move |it| it.environment == *environment)
    }

    /// Whether the environment has this gateway.
    pub(crate) fn has_gateway(&self, environment: &EnvironmentName, gateway: &GatewayName) -> bool {
        self.effective.gateway(environment, gateway).is_some()
    }

    /// The APIs of a tenant, in order, after one of them.
    pub(crate) fn apis(
        &self,
        tenant: &TenantName,
        after: Option<&ApiName>,
    ) -> impl Iterator<Item = (&EntityPath, &Arc<Declared>)> {
        let from = after.cloned().or_else(|| FIRST.parse().ok());
        let from = from.map(|api| EntityPath::Api { tenant: tenant.clone(), api });
        let after = after.is_some().then(|| from.clone()).flatten();
        let of_tenant =
            move |path: &EntityPath| matches!(path, EntityPath::Api { tenant: it, .. } if it == tenant);
        let entities = from.map(|from| self.effective.starting_at(&from)).into_iter().flatten();
        entities
            .take_while(move |(path, _)| of_tenant(path))
            .skip_while(move |(path, _)| Some(*path) == after.as_ref())
    }

    /// The deployments of an API.
    pub(crate) fn deployments_of(
        &self,
        tenant: &TenantName,
        api: &ApiName,
    ) -> impl Iterator<Item = &Deployment> {
        let environment = FIRST.parse().ok();
        let (owner, of) = (tenant.clone(), api.clone());
        let from = environment.map(|it| EntityPath::Deployment { tenant: owner, api: of, environment: it });
        let entities = from.map(|from| self.effective.starting_at(&from)).into_iter().flatten();
        entities
            .map_while(|(_, it)| deployment(it))
            .take_while(move |it| it.tenant == *tenant && it.api == *api)
    }

    /// The tenants, in order, after one of them.
    pub(crate) fn tenants(&self, after: Option<&TenantName>) -> impl Iterator<Item = &Tenant> {
        let tenants = self.effective.of_kind(Kind::Tenant).filter_map(|(_, it)| match &*it.entity {
            Entity::Tenant(it) => Some(it),
            _ => None,
        });
        tenants.filter(move |it| after.is_none_or(|after| it.name > *after))
    }

    /// The paths of a tenant's entities of a kind.
    pub(crate) fn of_tenant(&self, kind: Kind, tenant: &TenantName) -> impl Iterator<Item = &EntityPath> {
        let from = first_of(kind, tenant);
        let entities = from.map(|from| self.effective.starting_at(&from)).into_iter().flatten();
        entities
            .map(|(path, _)| path)
            .take_while(move |path| path.kind() == kind && path.tenant() == Some(tenant))
    }

    /// The deployments of a tenant's APIs.
    pub(crate) fn deployments(&self, tenant: &TenantName) -> impl Iterator<Item = &Deployment> {
        let from = first_of(Kind::Deployment, tenant);
        let entities = from.map(|from| self.effective.starting_at(&from)).into_iter().flatten();
        entities.map_while(|(_, it)| deployment(it)).take_while(move |it| it.tenant == *tenant)
    }
}

/// No name comes before this one.
const FIRST: &str = "0-0";

/// The first path that an entity of a kind and of a tenant could have.
fn first_of(kind: Kind, tenant: &TenantName) -> Option<EntityPath> {
    let tenant = tenant.clone();
    match kind {
        Kind::TenantVariables => {
            Some(EntityPath::TenantVariables { tenant, environment: FIRST.parse().ok()? })
        }
        Kind::Api => Some(EntityPath::Api { tenant, api: FIRST.parse().ok()? }),
        Kind::Application => Some(EntityPath::Application { tenant, application: FIRST.parse().ok()? }),
        Kind::Deployment => {
            let (api, environment) = (FIRST.parse().ok()?, FIRST.parse().ok()?);
            Some(EntityPath::Deployment { tenant, api, environment })
        }
        _ => None,
    }
}

fn deployment(declared: &Arc<Declared>) -> Option<&Deployment> {
    match &*declared.entity {
        Entity::Deployment(it) => Some(it),
        _ => None,
    }
}

/// The paths at which files of an entity may stand.
fn places(path: &EntityPath) -> Vec<String> {
    let own = Layout::path_of(path);
    let mut places = vec![own.replace(".yaml", ".yml"), own];
    match path {
        EntityPath::Users { tenant } => {
            places.extend(["yaml", "yml"].map(|it| format!("tenants/{tenant}/iam/users.{it}")));
        }
        EntityPath::Application { .. } => {
            places.extend(["yaml", "yml"].map(|it| format!("{path}/app.{it}")));
        }
        EntityPath::Api { .. } => {
            places.extend(["json", "yaml", "yml"].map(|it| format!("{path}/openapi.{it}")));
        }
        _ => {}
    }
    places
}

/// The desired state as this replica knows it; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct DesiredState {
    current: Arc<ArcSwap<Desired>>,
    changed: Arc<watch::Sender<()>>,
    repository: Repository,
}

/// The desired state has not come to a commit in time.
#[derive(Debug, thiserror::Error)]
#[error("commit `{commit}` is not reached yet")]
pub(crate) struct NotReached {
    pub(crate) commit: CommitId,
}

impl DesiredState {
    /// Nothing yet; `repository` tells how commits relate.
    pub(crate) fn new(repository: Repository) -> Self {
        let current = Arc::new(ArcSwap::from_pointee(Desired::default()));
        Self { current, changed: Arc::new(watch::Sender::new(())), repository }
    }

    /// The present snapshot.
    pub(crate) fn load(&self) -> Arc<Desired> {
        self.current.load_full()
    }

    /// Puts a newer snapshot in place of the present one.
    pub(crate) fn replace(&self, desired: Desired) {
        self.current.store(Arc::new(desired));
        self.changed.send_replace(());
    }

    /// The first snapshot whose history contains `commit`, if it comes in time.
    pub(crate) async fn wait_for(
        &self,
        commit: &CommitId,
        within: Duration,
    ) -> Result<Arc<Desired>, NotReached> {
        let mut changed = self.changed.subscribe();
        let reached = async {
            loop {
                let snapshot = self.load();
                if self.contains(&snapshot, commit).await {
                    return snapshot;
                }
                if changed.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::time::timeout(within, reached).await.map_err(|_| NotReached { commit: commit.clone() })
    }

    async fn contains(&self, snapshot: &Desired, commit: &CommitId) -> bool {
        let Some(at) = snapshot.commit().cloned() else { return false };
        if at == *commit {
            return true;
        }
        let commit = commit.clone();
        // A commit that the mirror does not have is in nobody's history.
        self.repository
            .blocking(move |repository| repository.is_ancestor(&commit, &at))
            .await
            .unwrap_or(false)
    }
}
