//! Around every route: who calls, at which commit the answer stands, and a record of writes that were denied.

use actix_web::{
    Error, HttpMessage as _, ResponseError as _,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use domain::{id::CommitId, name::PLATFORM_TENANT};
use events::{AuditOutcome, AuditRecord};
use runtime::chain;
use tracing::warn;
use web::Authenticated;

use super::State;

/// The commit at which an answer stands.
pub(super) const COMMIT: HeaderName = HeaderName::from_static("stoa-commit");

/// The commit of the snapshot that a handler answers from.
#[derive(Clone, Debug)]
pub(super) struct AnsweredAt(pub(super) Option<CommitId>);

pub(super) async fn around(
    state: Data<State>,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Who calls is settled first, so that nothing else of a request is looked at, or waited for, for a stranger.
    if let Err(problem) = request.extract::<Authenticated>().await {
        return Ok(request.into_response(problem.error_response()));
    }
    // Taken before the handler runs, so that it never promises more than the answer holds.
    let before = state.desired.load().commit().cloned();
    let mut response = next.call(request).await?;
    let at = response.request().extensions().get::<AnsweredAt>().cloned();
    if let Some(commit) = at.map_or(before, |at| at.0)
        && !response.headers().contains_key(&COMMIT)
        && let Ok(value) = HeaderValue::from_str(commit.as_str())
    {
        response.headers_mut().insert(COMMIT, value);
    }
    if response.status() == StatusCode::FORBIDDEN {
        audit(&state, &response);
    }
    Ok(response)
}

/// Tells the audit log of a write that its caller, who is known, may not do. Nobody waits for that.
fn audit(state: &State, response: &ServiceResponse<BoxBody>) {
    let request = response.request();
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return;
    }
    let Some(caller) = request.extensions().get::<Authenticated>().cloned() else { return };
    let principal = caller.principal();
    let tenant = request.match_info().get("tenant").map(str::to_owned);
    let own = principal.tenant.as_ref().map(ToString::to_string);
    let record = AuditRecord {
        tenant: tenant.or(own).unwrap_or_else(|| PLATFORM_TENANT.to_owned()).chars().take(80).collect(),
        actor: principal.username.clone(),
        action: action(request.method(), &request.match_pattern().unwrap_or_default()),
        entity: request.path().trim_start_matches("/v1/").chars().take(300).collect(),
        outcome: AuditOutcome::Denied,
        reason: Some("forbidden".to_owned()),
        message: None,
        commit: None,
        source: request.peer_addr().map(|address| address.ip().to_string()),
        trace: runtime::trace_context::trace_id(),
        at: state.clock.now(),
    };
    let (announce, id) = (state.announce.clone(), state.random.id(record.at));
    state.spawner.job("audit", async move {
        if let Err(error) = announce.audit(id, record).await {
            warn!(error = chain(&error), "Could not write to the audit log");
        }
        Ok::<(), event_bus::Error>(())
    });
}

/// What a request wanted to do, as `entity.verb`.
fn action(method: &Method, pattern: &str) -> String {
    let mut nouns = pattern.split('/').filter(|part| !part.is_empty() && !part.starts_with('{'));
    let last = nouns.next_back().unwrap_or("request");
    match (last, method) {
        ("rollback", _) => "deployment.rollback".to_owned(),
        ("sync", _) => "deployment.sync".to_owned(),
        ("openapi", _) => "api.update".to_owned(),
        (noun, method) => {
            let verb = match *method {
                Method::POST => "create",
                Method::DELETE => "delete",
                _ => "update",
            };
            format!("{}.{verb}", noun.trim_end_matches('s'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_named_by_what_it_wanted() {
        for (method, pattern, expected) in [
            (Method::POST, "/v1/tenants", "tenant.create"),
            (Method::DELETE, "/v1/tenants/{tenant}/apis/{api}", "api.delete"),
            (Method::PUT, "/v1/tenants/{tenant}/apis/{api}/openapi", "api.update"),
            (Method::POST, "/v1/tenants/{tenant}/deployments/{deployment}/rollback", "deployment.rollback"),
            (Method::POST, "/v1/tenants/{tenant}/deployments/sync", "deployment.sync"),
        ] {
            assert_eq!(action(&method, pattern), expected);
        }
    }
}
