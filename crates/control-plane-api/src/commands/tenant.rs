//! Tenants: declared, changed, removed.

use std::collections::BTreeSet;

use domain::{
    entity::{Contact, Entity, EntityPath, Kind, Quotas, Tenant},
    name::{EnvironmentName, TenantName},
};
use gitops::Files;

use super::{
    CommandError, Commands, Decision, Done, Origin, Precondition, Refusal, is_broken, put, take_away,
};
use crate::desired::Desired;

/// A tenant that is not there yet.
#[derive(Clone, Debug)]
pub(crate) struct NewTenant {
    pub(crate) name: TenantName,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) contact: Contact,
    /// None means every environment that there is.
    pub(crate) environments: Option<BTreeSet<EnvironmentName>>,
    pub(crate) tags: BTreeSet<String>,
}

/// What to change of a tenant; the rest stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct TenantChange {
    pub(crate) display_name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) owner_email: Option<String>,
    pub(crate) environments: Option<BTreeSet<EnvironmentName>>,
    pub(crate) tags: Option<BTreeSet<String>>,
}

impl Commands {
    /// Declares a tenant.
    pub(crate) async fn declare_tenant(&self, origin: &Origin, new: NewTenant) -> Result<Done, CommandError> {
        let about = EntityPath::Tenant { tenant: new.name.clone() };
        let (path, uid) = (about.clone(), self.draw_uid());
        self.carry_out(origin, about, move |state, _| {
            if new.name.is_platform() {
                let message = format!("`{}` is reserved; choose another name", new.name);
                return Err(Refusal::InvalidName(message).into());
            }
            if state.get(&path).is_some() || state.files(&path).next().is_some() {
                return Err(Refusal::NameTaken { kind: "tenant", name: new.name.to_string() }.into());
            }
            let environments = new.environments.clone().unwrap_or_else(|| every_environment(state));
            known(state, &environments)?;
            let tenant = Tenant {
                name: new.name.clone(),
                uid,
                display_name: new.display_name.clone(),
                description: new.description.clone(),
                contact: new.contact.clone(),
                environments,
                quotas: Quotas::default(),
                producers: std::collections::BTreeMap::new(),
                tags: new.tags.clone(),
            };
            let mut files = Files::new();
            put(&mut files, &Entity::Tenant(tenant))?;
            Ok(Decision { files, message: format!("Declare tenant {}", new.name) })
        })
        .await
    }

    /// Changes a tenant.
    pub(crate) async fn change_tenant(
        &self,
        origin: &Origin,
        name: TenantName,
        change: TenantChange,
        precondition: Precondition,
    ) -> Result<Done, CommandError> {
        let about = EntityPath::Tenant { tenant: name.clone() };
        let path = about.clone();
        self.carry_out(origin, about, move |state, _| {
            let present = state.tenant(&name).ok_or_else(|| Refusal::TenantNotFound(name.clone()))?;
            if !precondition.holds(state.etag(&path).as_ref()) {
                return Err(Refusal::Precondition.into());
            }
            let mut tenant = present.clone();
            let TenantChange { display_name, description, owner_email, environments, tags } = change.clone();
            if let Some(environments) = &environments {
                known(state, environments)?;
                in_use(state, &name, environments)?;
            }
            set(&mut tenant.display_name, display_name);
            set(&mut tenant.description, description);
            set(&mut tenant.contact.email, owner_email);
            set(&mut tenant.environments, environments);
            set(&mut tenant.tags, tags);
            let mut files = Files::new();
            if tenant != *present || is_broken(state, &path) {
                put(&mut files, &Entity::Tenant(tenant))?;
            }
            Ok(Decision { files, message: format!("Change tenant {name}") })
        })
        .await
    }

    /// Removes a tenant that has no APIs and no applications.
    pub(crate) async fn remove_tenant(
        &self,
        origin: &Origin,
        name: TenantName,
        precondition: Precondition,
    ) -> Result<Done, CommandError> {
        let about = EntityPath::Tenant { tenant: name.clone() };
        let path = about.clone();
        self.carry_out(origin, about, move |state, _| {
            state.tenant(&name).ok_or_else(|| Refusal::TenantNotFound(name.clone()))?;
            if name.is_platform() {
                return Err(Refusal::PlatformTenant.into());
            }
            if !precondition.holds(state.etag(&path).as_ref()) {
                return Err(Refusal::Precondition.into());
            }
            let apis = state.apis(&name, None).count();
            let applications = state.of_tenant(Kind::Application, &name).count();
            if apis + applications > 0 {
                return Err(Refusal::TenantNotEmpty { tenant: name.clone(), apis, applications }.into());
            }
            let mut files = Files::new();
            take_away(&mut files, state, &path);
            take_away(&mut files, state, &EntityPath::Users { tenant: name.clone() });
            for variables in state.of_tenant(Kind::TenantVariables, &name) {
                take_away(&mut files, state, variables);
            }
            Ok(Decision { files, message: format!("Remove tenant {name}") })
        })
        .await
    }
}

/// Puts a new value in place, if there is one.
pub(super) fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn every_environment(state: &Desired) -> BTreeSet<EnvironmentName> {
    state.environments().map(|environment| environment.name.clone()).collect()
}

/// Refuses environments that are not there.
fn known(state: &Desired, environments: &BTreeSet<EnvironmentName>) -> Result<(), Refusal> {
    match environments.iter().find(|environment| state.environment(environment).is_none()) {
        Some(unknown) => Err(Refusal::EnvironmentNotFound(unknown.clone())),
        None => Ok(()),
    }
}

/// Refuses to close an environment in which something of the tenant is declared.
fn in_use(state: &Desired, tenant: &TenantName, open: &BTreeSet<EnvironmentName>) -> Result<(), Refusal> {
    let by: Vec<String> = state
        .deployments(tenant)
        .filter(|deployment| !open.contains(&deployment.environment))
        .map(|deployment| Entity::Deployment(deployment.clone()).path().to_string())
        .collect();
    if by.is_empty() {
        Ok(())
    } else {
        Err(Refusal::StillReferenced { what: "an environment".to_owned(), by })
    }
}
