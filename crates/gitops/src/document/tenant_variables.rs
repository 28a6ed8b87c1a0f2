//! `kind: TenantVariables`.

use domain::{
    entity::{Entity, EntityPath, Kind, TenantVariables},
    variable::Variables,
};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{
    Form,
    envelope::{self, Context, Metadata, Read},
    value::VariableValues,
};

#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VariablesForm {
    /// Variables by name, for `${NAME}` in documents.
    #[schemars(with = "VariableValues")]
    variables: Variables,
}

pub(super) fn schema() -> Schema {
    envelope::schema::<VariablesForm>(Kind::TenantVariables)
}

pub(super) fn read(context: &Context<'_>) -> Read {
    let EntityPath::TenantVariables { tenant, environment } = context.path else {
        unreachable!("the path says the kind")
    };
    let form = if context.form == Form::Flat {
        context.source.decode::<VariablesForm>()?
    } else {
        context.envelope::<VariablesForm>()?.spec
    };
    let variables = TenantVariables {
        tenant: tenant.clone(),
        environment: environment.clone(),
        variables: form.variables,
    };
    Ok((Entity::TenantVariables(variables), Vec::new()))
}

pub(super) fn write(variables: &TenantVariables) -> String {
    let metadata = Metadata {
        tenant: Some(variables.tenant.to_string()),
        environment: Some(variables.environment.to_string()),
        ..Metadata::default()
    };
    envelope::write(Kind::TenantVariables, metadata, VariablesForm { variables: variables.variables.clone() })
}
