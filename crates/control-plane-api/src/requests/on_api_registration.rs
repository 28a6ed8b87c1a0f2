//! `api-registration`: somebody asks for an API to be declared, or brought up to date, and deployed.

use std::collections::BTreeSet;

use domain::{
    Failure,
    entity::{Authentication, GatewayOptions, Operation, Policies, RateLimit},
    name::{EnvironmentName, GatewayName, TenantName},
};
use event_bus::{Delivery, Handle};
use events::{ApiRegistration, Envelope, unpack_document};

use super::{
    arrival::Arrival,
    door::{Accepted, Door, NotDone, not_done},
    refused::Refused,
};
use crate::commands::{NewApi, OpenApiText, Origin, Registration};

/// Takes registrations in.
#[derive(Clone, Debug)]
pub(crate) struct OnApiRegistration(pub(crate) Door);

impl Handle<ApiRegistration> for OnApiRegistration {
    async fn handle(&self, envelope: &Envelope<ApiRegistration>, delivery: &Delivery) -> Result<(), Failure> {
        let request = &envelope.event;
        let arrival = Arrival::of::<ApiRegistration>(delivery, &request.tenant, &request.request_id);
        self.take(&arrival, request).await
    }
}

impl OnApiRegistration {
    pub(super) async fn take(&self, arrival: &Arrival, request: &ApiRegistration) -> Result<(), Failure> {
        let operation = Some(Operation::RegisterApi);
        self.0.take(arrival, operation, async |tenant, origin| self.act(tenant, origin, request).await).await
    }

    async fn act(
        &self,
        tenant: &TenantName,
        origin: Origin,
        request: &ApiRegistration,
    ) -> Result<Accepted, NotDone> {
        let environment: EnvironmentName = request.environment.parse()?;
        let gateways: Result<BTreeSet<GatewayName>, _> =
            request.gateways.iter().map(|it| it.parse()).collect();
        let api = new_api(tenant, request).await?;
        let name = api.name.clone();
        let wanted = Registration { api, environment: environment.clone(), gateways: gateways?.into() };
        let done = self.0.commands.register(&origin, wanted).await.map_err(not_done)?;
        self.0.accepted(&origin, done, tenant, &name, &environment).await
    }
}

async fn new_api(tenant: &TenantName, request: &ApiRegistration) -> Result<NewApi, NotDone> {
    let packed = request.document.clone();
    let unpacked = tokio::task::spawn_blocking(move || unpack_document(&packed)).await;
    let broken = || Refused::Document("the document could not be unpacked".to_owned());
    let text = unpacked.map_err(|_| broken())?.map_err(|error| Refused::Document(error.to_string()))?;
    Ok(NewApi {
        tenant: tenant.clone(),
        name: request.api.parse()?,
        display_name: request.display_name.clone(),
        version: request.version.clone(),
        description: request.description.clone(),
        category: String::new(),
        tags: BTreeSet::new(),
        backend_url: request.backend_url.clone(),
        authentication: authentication(request.authentication),
        policies: Policies { rate_limit: rate_limit(&request.policies), ..Policies::default() },
        gateway: GatewayOptions::default(),
        openapi: OpenApiText::check(text).await?,
    })
}

/// What this version does not know is closed.
fn authentication(wanted: events::Authentication) -> Authentication {
    match wanted {
        events::Authentication::None => Authentication::None,
        events::Authentication::Oauth2 | events::Authentication::Unknown => Authentication::default(),
    }
}

fn rate_limit(wanted: &events::Policies) -> Option<RateLimit> {
    let count = |value: i64| u32::try_from(value.max(1)).unwrap_or(u32::MAX).into();
    let requests_per_minute = count(wanted.requests_per_minute?);
    Some(RateLimit { requests_per_minute, burst: wanted.burst.map(count) })
}
