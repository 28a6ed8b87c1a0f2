//! The content of an API at an earlier commit, which a pinned deployment runs.

use std::path::Path;

use domain::{
    entity::{Api, Entity, EntityPath},
    id::CommitId,
    name::{ApiName, TenantName},
};

use super::{BlobId, Error, Repository, history::is_ancestor, tree::tree_of};
use crate::{
    document::{self, DocumentError},
    layout::Layout,
};

/// An API and its OpenAPI document, as they stood at a commit.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiContent {
    /// The commit.
    pub commit: CommitId,
    /// The API.
    pub api: Api,
    /// The blob of its OpenAPI document.
    pub openapi: BlobId,
    /// The path of its OpenAPI document.
    pub openapi_path: String,
}

/// Why a commit cannot be pinned.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// It is not in the history of the branch.
    #[error("commit `{0}` is not in the history of the branch")]
    NotInHistory(CommitId),
    /// The API was not there.
    #[error("`{api}` was not declared at commit `{commit}`")]
    NotDeclared { api: EntityPath, commit: CommitId },
    /// Its document was not valid.
    #[error("the document was not valid at that commit")]
    Invalid(#[source] DocumentError),
    /// The mirror could not be read.
    #[error(transparent)]
    Repository(#[from] Error),
}

impl domain::Classify for PinError {
    fn disposition(&self) -> domain::Disposition {
        match self {
            Self::Repository(error) => error.disposition(),
            _ => domain::Disposition::Reject,
        }
    }
}

impl Repository {
    /// The content of an API at `commit`, which must be in the history of `head`.
    pub fn api_at(
        &self,
        commit: &CommitId,
        head: &CommitId,
        tenant: &TenantName,
        api: &ApiName,
    ) -> Result<ApiContent, PinError> {
        let known = self.with(|handle| {
            Ok(handle.find_commit(super::oid(commit)?).is_ok() && is_ancestor(handle, commit, head)?)
        })?;
        if !known {
            return Err(PinError::NotInHistory(commit.clone()));
        }
        let entity = EntityPath::Api { tenant: tenant.clone(), api: api.clone() };
        let missing = || PinError::NotDeclared { api: entity.clone(), commit: commit.clone() };
        let path = Layout::path_of(&entity);
        let (path, blob) =
            self.first_of(commit, [path.clone(), path.replace(".yaml", ".yml")])?.ok_or_else(missing)?;
        let folder = Layout::api_folder(tenant, api);
        let (openapi_path, openapi) = self
            .first_of(
                commit,
                ["yaml", "json", "yml"].map(|extension| format!("{folder}openapi.{extension}")),
            )?
            .ok_or_else(missing)?;
        let bytes = match self.read_up_to(&blob, document::MAX_DOCUMENT_BYTES)? {
            Ok(bytes) => bytes,
            Err(size) => return Err(PinError::Invalid(document::too_large(&path, size))),
        };
        match document::parse(&path, &bytes).map_err(PinError::Invalid)?.entity {
            Entity::Api(api) => Ok(ApiContent { commit: commit.clone(), api, openapi, openapi_path }),
            _ => Err(missing()),
        }
    }

    /// The first of these paths that is a file at `commit`.
    fn first_of<const N: usize>(
        &self,
        commit: &CommitId,
        paths: [String; N],
    ) -> Result<Option<(String, BlobId)>, Error> {
        self.with(|handle| {
            let tree = tree_of(handle, commit)?;
            let found = paths.into_iter().find_map(|path| {
                let entry = tree.get_path(Path::new(&path)).ok()?;
                (entry.kind() == Some(git2::ObjectType::Blob))
                    .then(|| (path, BlobId(super::commit_id(entry.id()))))
            });
            Ok(found)
        })
    }
}
