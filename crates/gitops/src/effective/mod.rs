//! The effective state: for every file, the newest content that was valid on the relayed line.
//!
//! A file that was removed is gone; one that became invalid keeps its former content; one that was removed while
//! something refers to it stays, orphaned. So the effective state never dangles: what it refers to is in it.
//!
//! All of it is decided purely: [`Effective::advance`] takes the former state, the files that changed, and a way
//! to read blobs. What a restart needs is in [`Effective::rows`].

mod advance;
mod case;
mod change;
mod follow;
mod lookup;
mod parse;
mod references;
mod resume;
mod row;
mod rules;
mod settle;

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    entity::{Api, Deployment, Entity, EntityPath, Environment, Gateway, Kind, Tenant},
    id::CommitId,
    name::{ApiName, EnvironmentName, GatewayName, TenantName},
};

use self::parse::Reading;
pub use self::{
    advance::{Advance, Span},
    change::{Change, EntityChange, apply, changes, touched_deployments},
    follow::{Followed, Step, follow},
    row::{Origin, Row, RowChange, Standing},
};
use crate::{
    layout::Slot,
    repository::{self, ApiContent, BlobId, PinError, Repository},
};

/// Checks an OpenAPI document; the text says what is wrong.
pub type OpenApiCheck<'a> = dyn Fn(&[u8]) -> Result<(), String> + Sync + 'a;

/// Where contents come from.
pub trait Objects: Sync {
    /// The content of a blob, or its size alone if that is above `limit`.
    fn read_up_to(&self, blob: &BlobId, limit: usize) -> Result<Result<Vec<u8>, usize>, repository::Error>;

    /// The content of an API at `commit`, which must be in the history of `head`.
    fn api_at(
        &self,
        commit: &CommitId,
        head: &CommitId,
        tenant: &TenantName,
        api: &ApiName,
    ) -> Result<ApiContent, PinError>;
}

impl Objects for Repository {
    fn read_up_to(&self, blob: &BlobId, limit: usize) -> Result<Result<Vec<u8>, usize>, repository::Error> {
        Self::read_up_to(self, blob, limit)
    }

    fn api_at(
        &self,
        commit: &CommitId,
        head: &CommitId,
        tenant: &TenantName,
        api: &ApiName,
    ) -> Result<ApiContent, PinError> {
        Self::api_at(self, commit, head, tenant, api)
    }
}

/// An entity in effect, and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// The entity.
    pub entity: Arc<Entity>,
    /// The file.
    pub path: Arc<str>,
    /// The file's content.
    pub origin: Origin,
    /// The OpenAPI document of an API.
    pub openapi: Option<OpenApi>,
    /// What still refers to it although its file was removed; empty for everything else.
    pub orphaned_by: Vec<EntityPath>,
}

/// The OpenAPI document of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenApi {
    /// The file.
    pub path: Arc<str>,
    /// The file's content.
    pub origin: Origin,
}

impl Declared {
    /// Whether both declare the same, wherever they come from.
    #[must_use]
    pub fn same_content(&self, other: &Self) -> bool {
        let openapi = |it: &Self| it.openapi.as_ref().map(|openapi| openapi.origin.blob.clone());
        self.entity == other.entity
            && openapi(self) == openapi(other)
            && self.orphaned_by.is_empty() == other.orphaned_by.is_empty()
    }
}

/// Entities by where they stand, what is referred to before what refers to it.
pub type Entities = BTreeMap<Arc<EntityPath>, Arc<Declared>>;

/// The effective state at a commit. Cheap to clone: everything in it is shared.
#[derive(Clone, Debug, Default)]
pub struct Effective {
    commit: Option<CommitId>,
    rows: BTreeMap<Arc<str>, Arc<Row>>,
    entities: Entities,
    /// The files in effect, by what they hold.
    slots: BTreeMap<Arc<Slot>, Arc<str>>,
    /// What files say whose content is not in effect.
    pending: BTreeMap<Arc<str>, Reading>,
}

impl Effective {
    /// The commit up to which the line was relayed; `None` before the first.
    #[must_use]
    pub fn commit(&self) -> Option<&CommitId> {
        self.commit.as_ref()
    }

    /// Every file that is in effect or should be, for the store.
    pub fn rows(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.rows.values()
    }

    /// The rows that differ from `former`, for the store.
    #[must_use]
    pub fn row_changes(&self, former: &Self) -> Vec<RowChange> {
        let gone = former.rows.keys().filter(|path| !self.rows.contains_key(*path));
        let put = self.rows.iter().filter(|(path, row)| {
            former.rows.get(*path).is_none_or(|old| !Arc::ptr_eq(old, row) && old != *row)
        });
        let deletes = gone.cloned().map(RowChange::Delete);
        deletes.chain(put.map(|(_, row)| RowChange::Put(Arc::clone(row)))).collect()
    }

    /// Everything that is wrong or odd, by file.
    pub fn problems(&self) -> impl Iterator<Item = &crate::DocumentError> {
        self.rows.values().flat_map(|row| &row.problems)
    }

    /// All entities in effect, what is referred to before what refers to it.
    pub fn entities(&self) -> impl Iterator<Item = (&EntityPath, &Arc<Declared>)> {
        self.entities.iter().map(|(path, declared)| (&**path, declared))
    }

    /// The entities of a kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&EntityPath, &Arc<Declared>)> {
        // Paths are ordered by kind first, so a kind is one range.
        let start = self.entities().skip_while(move |(path, _)| path.kind() < kind);
        start.take_while(move |(path, _)| path.kind() == kind)
    }

    /// An entity.
    #[must_use]
    pub fn get(&self, path: &EntityPath) -> Option<&Arc<Declared>> {
        self.entities.get(path)
    }

    /// A tenant.
    #[must_use]
    pub fn tenant(&self, tenant: &TenantName) -> Option<&Tenant> {
        match &*self.get(&EntityPath::Tenant { tenant: tenant.clone() })?.entity {
            Entity::Tenant(tenant) => Some(tenant),
            _ => None,
        }
    }

    /// An API, with where it and its OpenAPI document come from.
    #[must_use]
    pub fn api(&self, tenant: &TenantName, api: &ApiName) -> Option<(&Api, &Declared)> {
        let declared = self.get(&EntityPath::Api { tenant: tenant.clone(), api: api.clone() })?;
        match &*declared.entity {
            Entity::Api(api) => Some((api, declared.as_ref())),
            _ => None,
        }
    }

    /// An environment.
    #[must_use]
    pub fn environment(&self, environment: &EnvironmentName) -> Option<&Environment> {
        match &*self.get(&EntityPath::Environment { environment: environment.clone() })?.entity {
            Entity::Environment(environment) => Some(environment),
            _ => None,
        }
    }

    /// A gateway.
    #[must_use]
    pub fn gateway(&self, environment: &EnvironmentName, gateway: &GatewayName) -> Option<&Gateway> {
        let path = EntityPath::Gateway { environment: environment.clone(), gateway: gateway.clone() };
        match &*self.get(&path)?.entity {
            Entity::Gateway(gateway) => Some(gateway),
            _ => None,
        }
    }

    /// Every deployment in effect.
    pub fn deployments(&self) -> impl Iterator<Item = &Deployment> {
        self.of_kind(Kind::Deployment).filter_map(|(_, declared)| match &*declared.entity {
            Entity::Deployment(deployment) => Some(deployment),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests;
