//! Topic `catalog-environments`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use domain::{
    id::{CommitId, Revision},
    name::{EnvironmentName, TenantName},
};

use crate::{event::event, topics};

/// Settings and variables of one level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogEnvironment {
    /// Where the settings stand.
    pub level: Level,
    /// The environment, unless for all.
    pub environment: Option<EnvironmentName>,
    /// The tenant, if for one.
    pub tenant: Option<TenantName>,
    /// Variables; secrets stand as `vault:` references.
    pub variables: BTreeMap<String, String>,
    /// Whether a new API is deployed without being asked.
    pub auto_deploy: bool,
    /// The revision that this state derives from.
    pub revision: Revision,
    /// The commit that this state derives from.
    pub commit: CommitId,
}

/// Where settings stand; a later level wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// A symbol that this version does not know.
    #[default]
    Unknown,
    /// For all environments.
    Defaults,
    /// For one environment.
    Environment,
    /// For one tenant in one environment.
    Tenant,
}

event!(
    CatalogEnvironment,
    topics::CATALOG_ENVIRONMENTS,
    "catalog-environments",
    1,
    key = |record| match (&record.tenant, &record.environment) {
        (Some(tenant), Some(environment)) => format!("{tenant}/{environment}"),
        (None, Some(environment)) => environment.to_string(),
        _ => "_defaults".to_owned(),
    },
    subject = |record| format!("environments/{}", record.key())
);
