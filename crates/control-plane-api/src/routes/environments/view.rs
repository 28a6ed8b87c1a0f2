//! An environment as the API shows it; variables may hold what is not for everybody, so they are not shown.

use domain::entity::{EntityPath, Environment};
use gitops::DocumentError;
use serde::Serialize;

use crate::desired::Desired;

#[derive(Debug, Serialize)]
pub(super) struct EnvironmentView {
    id: String,
    display_name: String,
    description: String,
    auto_deploy: bool,
    require_approval: bool,
    gateways: Vec<String>,
    problems: Vec<DocumentError>,
}

impl EnvironmentView {
    pub(super) fn of(state: &Desired, environment: &Environment) -> Self {
        let path = EntityPath::Environment { environment: environment.name.clone() };
        Self {
            id: environment.name.to_string(),
            display_name: environment.display_name.clone(),
            description: environment.description.clone(),
            auto_deploy: environment.settings.auto_deploy,
            require_approval: environment.settings.require_approval,
            gateways: state.gateways(&environment.name).map(|gateway| gateway.name.to_string()).collect(),
            problems: state.problems(&path).cloned().collect(),
        }
    }
}
