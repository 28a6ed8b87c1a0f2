//! APIs: declared, changed, removed, registered.

use std::collections::BTreeSet;

use domain::{
    entity::{
        Api, Authentication, Backend, Content, Entity, EntityPath, GatewayOptions, Kind, Policies, RateLimit,
        Tenant,
    },
    name::{ApiName, EnvironmentName, TenantName},
};
use gitops::{Files, Layout, Repository};
use uuid::Uuid;

use super::{
    CommandError, Commands, Decision, Deploy, Done, Gateways, OpenApiText, Origin, Precondition, Refusal,
    deployment, is_broken, put, take_away, tenant::set,
};
use crate::desired::Desired;

/// An API that is not there yet.
#[derive(Clone, Debug)]
pub(crate) struct NewApi {
    pub(crate) tenant: TenantName,
    pub(crate) name: ApiName,
    pub(crate) display_name: String,
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) category: String,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) backend_url: String,
    pub(crate) authentication: Authentication,
    pub(crate) policies: Policies,
    pub(crate) gateway: GatewayOptions,
    pub(crate) openapi: OpenApiText,
}

/// What to change of an API; the rest stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApiChange {
    pub(crate) display_name: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) tags: Option<BTreeSet<String>>,
    pub(crate) backend_url: Option<String>,
    pub(crate) authentication: Option<Authentication>,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) tools: Option<bool>,
    pub(crate) openapi: Option<OpenApiText>,
}

/// An API to be declared, or changed, and deployed in one step.
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    pub(crate) api: NewApi,
    pub(crate) environment: EnvironmentName,
    pub(crate) gateways: Gateways,
}

impl Commands {
    /// Declares an API, and deploys it wherever new APIs are deployed at once.
    pub(crate) async fn declare_api(&self, origin: &Origin, new: NewApi) -> Result<Done, CommandError> {
        let about = EntityPath::Api { tenant: new.tenant.clone(), api: new.name.clone() };
        let uid = self.draw_uid();
        self.carry_out(origin, about, move |state, repository| {
            let mut files = Files::new();
            declare(&mut files, state, repository, &new, uid)?;
            let message = format!("Declare API {}/{} {}", new.tenant, new.name, new.version);
            Ok(Decision { files, message })
        })
        .await
    }

    /// Changes an API.
    pub(crate) async fn change_api(
        &self,
        origin: &Origin,
        tenant: TenantName,
        name: ApiName,
        change: ApiChange,
        precondition: Precondition,
    ) -> Result<Done, CommandError> {
        let about = EntityPath::Api { tenant: tenant.clone(), api: name.clone() };
        let path = about.clone();
        self.carry_out(origin, about, move |state, repository| {
            let present = present(state, &tenant, &name)?;
            if !precondition.holds(state.etag(&path).as_ref()) {
                return Err(Refusal::Precondition.into());
            }
            let mut files = Files::new();
            alter(&mut files, state, repository, present, &change)?;
            Ok(Decision { files, message: format!("Change API {tenant}/{name}") })
        })
        .await
    }

    /// Removes an API with its deployments; the gateways are told by what the relay makes of that.
    pub(crate) async fn remove_api(
        &self,
        origin: &Origin,
        tenant: TenantName,
        name: ApiName,
        precondition: Precondition,
    ) -> Result<Done, CommandError> {
        let about = EntityPath::Api { tenant: tenant.clone(), api: name.clone() };
        let path = about.clone();
        self.carry_out(origin, about, move |state, _| {
            present(state, &tenant, &name)?;
            if !precondition.holds(state.etag(&path).as_ref()) {
                return Err(Refusal::Precondition.into());
            }
            let by = subscribers(state, &tenant, &name);
            if !by.is_empty() {
                return Err(Refusal::StillReferenced { what: format!("API `{name}`"), by }.into());
            }
            let mut files = Files::new();
            take_away(&mut files, state, &path);
            for deployment in state.deployments_of(&tenant, &name) {
                take_away(&mut files, state, &deployment::path(&tenant, &name, &deployment.environment));
            }
            Ok(Decision { files, message: format!("Remove API {tenant}/{name}") })
        })
        .await
    }

    /// Declares or changes an API and deploys it, in one commit.
    ///
    /// What is done is told about the deployment.
    pub(crate) async fn register(&self, origin: &Origin, wanted: Registration) -> Result<Done, CommandError> {
        let new = &wanted.api;
        let about = deployment::path(&new.tenant, &new.name, &wanted.environment);
        let uid = self.draw_uid();
        self.carry_out(origin, about, move |state, repository| {
            let Registration { api: new, environment, gateways } = &wanted;
            let mut files = Files::new();
            match state.api(&new.tenant, &new.name) {
                Some(present) => alter(&mut files, state, repository, present, &change_to(new))?,
                None => declare(&mut files, state, repository, new, uid)?,
            }
            let deploy = Deploy {
                tenant: new.tenant.clone(),
                api: new.name.clone(),
                environment: environment.clone(),
                gateways: gateways.clone(),
                content: Content::FollowHead,
            };
            deployment::add(&mut files, state, repository, tenant(state, &new.tenant)?, &deploy)?;
            let message =
                format!("Register API {}/{} {} in {environment}", new.tenant, new.name, new.version);
            Ok(Decision { files, message })
        })
        .await
    }
}

fn declare(
    files: &mut Files,
    state: &Desired,
    repository: &Repository,
    new: &NewApi,
    uid: Uuid,
) -> Result<(), CommandError> {
    let owner = tenant(state, &new.tenant)?;
    let path = EntityPath::Api { tenant: new.tenant.clone(), api: new.name.clone() };
    if state.get(&path).is_some() || state.files(&path).next().is_some() {
        return Err(Refusal::NameTaken { kind: "API", name: new.name.to_string() }.into());
    }
    let limit = owner.quotas.apis;
    let count = state.apis(&new.tenant, None).count();
    if count >= usize::try_from(limit).unwrap_or(usize::MAX) {
        return Err(Refusal::Quota { tenant: new.tenant.clone(), limit }.into());
    }
    let api = Api {
        tenant: new.tenant.clone(),
        name: new.name.clone(),
        uid,
        display_name: new.display_name.clone(),
        version: new.version.clone(),
        description: new.description.clone(),
        category: new.category.clone(),
        tags: new.tags.clone(),
        backend: Backend::at(new.backend_url.clone()),
        authentication: new.authentication.clone(),
        policies: new.policies.clone(),
        gateway: new.gateway.clone(),
    };
    put(files, &Entity::Api(api))?;
    let openapi = Layout::openapi_path(&new.tenant, &new.name, new.openapi.json);
    files.insert(openapi, Some(new.openapi.bytes.clone()));
    for environment in at_once(state, owner) {
        let deploy = Deploy {
            tenant: new.tenant.clone(),
            api: new.name.clone(),
            environment,
            gateways: Gateways::All,
            content: Content::FollowHead,
        };
        deployment::add(files, state, repository, owner, &deploy)?;
    }
    Ok(())
}

/// The environments of a tenant that take new APIs at once and have a gateway to take them to.
fn at_once<'a>(state: &'a Desired, tenant: &'a Tenant) -> impl Iterator<Item = EnvironmentName> {
    let ready = |environment: &&EnvironmentName| {
        let deploys = state.environment(environment).is_some_and(|it| it.settings.auto_deploy);
        deploys && state.gateways(environment).next().is_some()
    };
    tenant.environments.iter().filter(ready).cloned()
}

fn alter(
    files: &mut Files,
    state: &Desired,
    repository: &Repository,
    present: &Api,
    change: &ApiChange,
) -> Result<(), CommandError> {
    let path = EntityPath::Api { tenant: present.tenant.clone(), api: present.name.clone() };
    let change = change.clone();
    let mut api = present.clone();
    set(&mut api.display_name, change.display_name);
    set(&mut api.version, change.version);
    set(&mut api.description, change.description);
    set(&mut api.category, change.category);
    set(&mut api.tags, change.tags);
    set(&mut api.backend.url, change.backend_url);
    set(&mut api.authentication, change.authentication);
    if change.rate_limit.is_some() {
        api.policies.rate_limit = change.rate_limit;
    }
    set(&mut api.gateway.tools, change.tools);
    if api != *present || is_broken(state, &path) {
        put(files, &Entity::Api(api))?;
    }
    if let Some(openapi) = change.openapi {
        replace_openapi(files, state, repository, &path, openapi)?;
    }
    Ok(())
}

/// Puts another document in place, unless it is the same; a document in the other notation goes.
fn replace_openapi(
    files: &mut Files,
    state: &Desired,
    repository: &Repository,
    path: &EntityPath,
    openapi: OpenApiText,
) -> Result<(), CommandError> {
    let EntityPath::Api { tenant, api } = path else { return Ok(()) };
    let target = Layout::openapi_path(tenant, api, openapi.json);
    let present: Vec<_> = state.files(path).filter(|file| file.path.contains("/openapi.")).collect();
    if let [only] = present.as_slice()
        && only.path == target
        && repository.read(&only.blob)? == openapi.bytes
    {
        return Ok(());
    }
    for file in present {
        files.insert(file.path.clone(), None);
    }
    files.insert(target, Some(openapi.bytes));
    Ok(())
}

/// A change that makes an API what a registration says.
fn change_to(new: &NewApi) -> ApiChange {
    ApiChange {
        display_name: Some(new.display_name.clone()),
        version: Some(new.version.clone()),
        description: Some(new.description.clone()),
        category: None,
        tags: None,
        backend_url: Some(new.backend_url.clone()),
        authentication: Some(new.authentication.clone()),
        rate_limit: new.policies.rate_limit.clone(),
        tools: None,
        openapi: Some(new.openapi.clone()),
    }
}

fn tenant<'a>(state: &'a Desired, name: &TenantName) -> Result<&'a Tenant, Refusal> {
    state.tenant(name).ok_or_else(|| Refusal::TenantNotFound(name.clone()))
}

fn present<'a>(state: &'a Desired, tenant: &TenantName, api: &ApiName) -> Result<&'a Api, Refusal> {
    let missing = || Refusal::ApiNotFound { tenant: tenant.clone(), api: api.clone() };
    state.api(tenant, api).ok_or_else(missing)
}

/// The applications that use an API.
fn subscribers(state: &Desired, tenant: &TenantName, api: &ApiName) -> Vec<String> {
    let uses = |entity: &Entity| match entity {
        Entity::Application(it) => {
            it.subscriptions.iter().any(|used| used.tenant == *tenant && used.api == *api)
        }
        _ => false,
    };
    let applications = state.effective().of_kind(Kind::Application);
    applications.filter(|(_, it)| uses(&it.entity)).map(|(path, _)| path.to_string()).collect()
}
