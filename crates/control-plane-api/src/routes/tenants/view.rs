//! A tenant as the API shows it.

use std::collections::BTreeSet;

use domain::{
    entity::{EntityPath, Kind, Tenant},
    name::EnvironmentName,
};
use gitops::DocumentError;
use serde::Serialize;
use uuid::Uuid;

use crate::desired::Desired;

#[derive(Debug, Serialize)]
pub(super) struct TenantView {
    id: String,
    uid: Uuid,
    display_name: String,
    description: String,
    owner_email: String,
    status: &'static str,
    environments: BTreeSet<EnvironmentName>,
    tags: BTreeSet<String>,
    api_count: usize,
    application_count: usize,
    /// What is wrong with its newest file, which therefore is not in effect.
    problems: Vec<DocumentError>,
}

impl TenantView {
    pub(super) fn of(state: &Desired, tenant: &Tenant) -> Self {
        let path = EntityPath::Tenant { tenant: tenant.name.clone() };
        Self {
            id: tenant.name.to_string(),
            uid: tenant.uid,
            display_name: tenant.display_name.clone(),
            description: tenant.description.clone(),
            owner_email: tenant.contact.email.clone(),
            status: "active",
            environments: tenant.environments.clone(),
            tags: tenant.tags.clone(),
            api_count: state.apis(&tenant.name, None).count(),
            application_count: state.of_tenant(Kind::Application, &tenant.name).count(),
            problems: state.problems(&path).cloned().collect(),
        }
    }
}
