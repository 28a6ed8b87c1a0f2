//! `kind: PromotionRequest`.

use domain::{
    entity::{
        Entity, EntityPath, Impact, Kind, PreChecks, PromotionEvent, PromotionRequest, PromotionState,
        RequestId,
    },
    name::{ApiName, EnvironmentName, TenantName},
};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{
    envelope::{self, Context, Metadata, Read},
    value::is_default,
};

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RequestForm {
    /// Whose API.
    tenant: TenantName,
    /// The API.
    api: ApiName,
    /// Its version.
    version: String,
    /// Where it runs.
    source: EnvironmentName,
    /// Where it is to run.
    target: EnvironmentName,
    /// Who asks.
    created_by: String,
    /// When.
    created_at: Timestamp,
    /// Why.
    justification: String,
    /// What is new.
    #[serde(default, skip_serializing_if = "is_default")]
    release_notes: String,
    /// How bad a failure would be.
    impact: Impact,
    /// How to go back.
    #[serde(default, skip_serializing_if = "is_default")]
    rollback_plan: String,
    /// Not before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scheduled_at: Option<Timestamp>,
    /// What was checked.
    #[serde(default)]
    pre_checks: PreChecksForm,
    /// How far it is.
    state: PromotionState,
    /// What happened, oldest first.
    #[serde(default, skip_serializing_if = "is_default")]
    history: Vec<EventForm>,
}

#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct PreChecksForm {
    /// The tests in staging.
    staging_tests_passed: bool,
    /// The security scan.
    security_scan_passed: bool,
    /// The load test.
    performance_tests_passed: bool,
    /// Where the results are.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_evidence_url: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EventForm {
    /// What was done.
    action: String,
    /// When.
    at: Timestamp,
    /// By whom.
    by: String,
    /// What they said.
    #[serde(default, skip_serializing_if = "is_default")]
    comment: String,
}

pub(super) fn schema() -> Schema {
    envelope::schema::<RequestForm>(Kind::PromotionRequest)
}

pub(super) fn read(context: &Context<'_>) -> Read {
    let EntityPath::PromotionRequest { environment, year, month, id } = context.path else {
        unreachable!("the path says the kind")
    };
    let envelope = context.envelope::<RequestForm>()?;
    let said = envelope.metadata.id.map(|id| id.to_lowercase());
    context.agree("metadata.id", said.as_deref(), Some(id.as_str()))?;
    let spec = envelope.spec;
    context.agree("spec.target", Some(spec.target.as_str()), Some(environment.as_str()))?;
    let checks = spec.pre_checks;
    let history = spec.history.into_iter().map(|it| PromotionEvent {
        action: it.action,
        at: it.at,
        by: it.by,
        comment: it.comment,
    });
    let request = PromotionRequest {
        id: RequestId::clone(id),
        year: *year,
        month: *month,
        tenant: spec.tenant,
        api: spec.api,
        version: spec.version,
        source: spec.source,
        target: spec.target,
        justification: spec.justification,
        release_notes: spec.release_notes,
        impact: spec.impact,
        rollback_plan: spec.rollback_plan,
        scheduled_at: spec.scheduled_at,
        pre_checks: PreChecks {
            staging_tests_passed: checks.staging_tests_passed,
            security_scan_passed: checks.security_scan_passed,
            performance_tests_passed: checks.performance_tests_passed,
            test_evidence_url: checks.test_evidence_url,
        },
        created_by: spec.created_by,
        created_at: spec.created_at,
        state: spec.state,
        history: history.collect(),
    };
    Ok((Entity::PromotionRequest(request), Vec::new()))
}

pub(super) fn write(request: &PromotionRequest) -> String {
    let checks = &request.pre_checks;
    let history = request.history.iter().map(|it| EventForm {
        action: it.action.clone(),
        at: it.at,
        by: it.by.clone(),
        comment: it.comment.clone(),
    });
    let spec = RequestForm {
        tenant: request.tenant.clone(),
        api: request.api.clone(),
        version: request.version.clone(),
        source: request.source.clone(),
        target: request.target.clone(),
        created_by: request.created_by.clone(),
        created_at: request.created_at,
        justification: request.justification.clone(),
        release_notes: request.release_notes.clone(),
        impact: request.impact,
        rollback_plan: request.rollback_plan.clone(),
        scheduled_at: request.scheduled_at,
        pre_checks: PreChecksForm {
            staging_tests_passed: checks.staging_tests_passed,
            security_scan_passed: checks.security_scan_passed,
            performance_tests_passed: checks.performance_tests_passed,
            test_evidence_url: checks.test_evidence_url.clone(),
        },
        state: request.state,
        history: history.collect(),
    };
    envelope::write(Kind::PromotionRequest, Metadata::default(), spec)
}
