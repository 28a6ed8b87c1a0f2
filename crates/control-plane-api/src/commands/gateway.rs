//! Gateways: put, removed.

use domain::{
    entity::{Entity, EntityPath, Gateway},
    name::{EnvironmentName, GatewayName},
};
use gitops::Files;

use super::{
    CommandError, Commands, Decision, Done, Origin, Precondition, Refusal, is_broken, put, take_away,
};

impl Commands {
    /// Declares a gateway, or changes it.
    pub(crate) async fn put_gateway(
        &self,
        origin: &Origin,
        gateway: Gateway,
        precondition: Precondition,
    ) -> Result<Done, CommandError> {
        let entity = Entity::Gateway(gateway.clone());
        let path = entity.path();
        self.carry_out(origin, path.clone(), move |state, _| {
            if state.environment(&gateway.environment).is_none() {
                return Err(Refusal::EnvironmentNotFound(gateway.environment.clone()).into());
            }
            if !precondition.holds(state.etag(&path).as_ref()) {
                return Err(Refusal::Precondition.into());
            }
            let present = state.get(&path);
            let mut files = Files::new();
            if present.is_none_or(|it| *it.entity != entity) || is_broken(state, &path) {
                put(&mut files, &entity)?;
            }
            let verb = if present.is_some() { "Change" } else { "Declare" };
            let message = format!("{verb} gateway {} of {}", gateway.name, gateway.environment);
            Ok(Decision { files, message })
        })
        .await
    }

    /// Removes a gateway that no deployment names.
    pub(crate) async fn remove_gateway(
        &self,
        origin: &Origin,
        environment: EnvironmentName,
        gateway: GatewayName,
        precondition: Precondition,
    ) -> Result<Done, CommandError> {
        let about = EntityPath::Gateway { environment: environment.clone(), gateway: gateway.clone() };
        let path = about.clone();
        self.carry_out(origin, about, move |state, _| {
            if !state.has_gateway(&environment, &gateway) {
                let (environment, gateway) = (environment.clone(), gateway.clone());
                return Err(Refusal::GatewayNotFound { environment, gateway }.into());
            }
            if !precondition.holds(state.etag(&path).as_ref()) {
                return Err(Refusal::Precondition.into());
            }
            let by: Vec<String> = state
                .effective()
                .deployments()
                .filter(|it| it.environment == environment && it.gateways.contains(&gateway))
                .map(|it| Entity::Deployment(it.clone()).path().to_string())
                .collect();
            if !by.is_empty() {
                let what = format!("gateway `{gateway}` of `{environment}`");
                return Err(Refusal::StillReferenced { what, by }.into());
            }
            let mut files = Files::new();
            take_away(&mut files, state, &path);
            Ok(Decision { files, message: format!("Remove gateway {gateway} of {environment}") })
        })
        .await
    }
}
