//! Names in paths and bodies.

use std::str::FromStr;

use domain::{
    entity::{Environment, Tenant},
    name::{ApiName, EnvironmentName, NameError, TenantName},
};
use uuid::Uuid;
use web::{Kind, Problem};

use crate::desired::Desired;

/// A name that a body gives.
pub(super) fn given<N: FromStr<Err = NameError>>(field: &str, text: &str) -> Result<N, Problem> {
    text.parse()
        .map_err(|error: NameError| Problem::new(Kind::InvalidName, error.to_string()).member("field", field))
}

/// A name in a path; what can be no name is the name of nothing.
pub(super) fn in_path<N: FromStr<Err = NameError>>(kind: Kind, text: &str) -> Result<N, Problem> {
    text.parse().map_err(|_| Problem::new(kind, format!("there is no `{}`", shown(text))))
}

/// The tenant of a path, which has to be there.
pub(super) fn tenant<'a>(state: &'a Desired, tenant: &TenantName) -> Result<&'a Tenant, Problem> {
    let missing = || Problem::new(Kind::TenantNotFound, format!("there is no tenant `{tenant}`"));
    state.tenant(tenant).ok_or_else(missing)
}

/// The environment of a path, which has to be there.
pub(super) fn environment<'a>(
    state: &'a Desired,
    name: &EnvironmentName,
) -> Result<&'a Environment, Problem> {
    let missing = || Problem::new(Kind::EnvironmentNotFound, format!("there is no environment `{name}`"));
    state.environment(name).ok_or_else(missing)
}

/// The name of the API that a path means: by its name, or by its uid.
pub(super) fn api(state: &Desired, tenant: &TenantName, segment: &str) -> Result<ApiName, Problem> {
    let missing = || {
        let detail = format!("tenant `{tenant}` has no API `{}`", shown(segment));
        Problem::new(Kind::ApiNotFound, detail)
    };
    match Uuid::try_parse(segment) {
        Ok(uid) => state.api_by_uid(tenant, uid).map(|api| api.name.clone()).ok_or_else(missing),
        Err(_) => segment.parse().map_err(|_| missing()),
    }
}

/// An answer never repeats a long text.
fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}
