//! The memory of the saga as records of `deployment-state`, both ways.

use domain::name::{ApiName, EnvironmentName, GatewayName, TenantName};
use events::{DeployOrder, DeploymentPhase, DeploymentState, OrderKind, Outcome};
use saga::{Decision, Memory, Phase, Problem};

/// The queue of a deployment: one API on one gateway of one environment.
pub(crate) fn key(
    tenant: &TenantName,
    api: &ApiName,
    environment: &EnvironmentName,
    gateway: &GatewayName,
) -> String {
    format!("{tenant}/{api}/{environment}/{gateway}")
}

/// The record of a memory: digests, no content.
pub(crate) fn write(order: &DeployOrder, memory: &Memory) -> DeploymentState {
    let mut state = DeploymentState {
        order_id: order.order_id,
        group: order.group,
        tenant: order.tenant.clone(),
        api: order.api.clone(),
        environment: order.environment.clone(),
        gateway: order.gateway.clone(),
        kind: order.kind,
        generation: order.generation,
        digest: order.digest.clone(),
        order_offset: memory.offset,
        phase: DeploymentPhase::Accepted,
        step: None,
        attempt: 0,
        step_deadline: None,
        needs_attention: memory.needs_attention,
        outcome: None,
        reason: None,
        message: None,
        deadline: memory.deadline,
        at: memory.at,
        commit: Some(order.commit.clone()),
        content_commit: Some(order.content_commit.clone()),
        actor: Some(order.actor.clone()),
        trace: Some(order.trace.clone()),
    };
    let mut problem = memory.problem.as_ref();
    match &memory.phase {
        Phase::Accepted => {}
        Phase::Intent { step, attempt, until } => {
            state.phase = DeploymentPhase::Intent;
            state.step = Some(step.clone());
            state.attempt = i32::try_from(*attempt).unwrap_or(i32::MAX);
            state.step_deadline = Some(*until);
        }
        Phase::Done { step } => {
            state.phase = DeploymentPhase::Done;
            state.step = Some(step.clone());
        }
        Phase::Decided(decision) => {
            state.phase = DeploymentPhase::Decided;
            state.outcome = Some(decision.outcome);
            problem = decision.problem.as_ref();
        }
    }
    state.reason = problem.map(|problem| problem.reason.clone());
    state.message = problem.map(|problem| problem.message.clone());
    state
}

/// The memory of a record; nothing when it says what this version does not know.
pub(crate) fn read(state: &DeploymentState) -> Option<Memory> {
    let problem = state
        .reason
        .clone()
        .map(|reason| Problem { reason, message: state.message.clone().unwrap_or_default() });
    let phase = match state.phase {
        DeploymentPhase::Unknown => return None,
        DeploymentPhase::Accepted => Phase::Accepted,
        DeploymentPhase::Intent => Phase::Intent {
            step: state.step.clone()?,
            attempt: u32::try_from(state.attempt).ok()?,
            until: state.step_deadline?,
        },
        DeploymentPhase::Done => Phase::Done { step: state.step.clone()? },
        DeploymentPhase::Decided => {
            let outcome = state.outcome.filter(|outcome| *outcome != Outcome::Unknown)?;
            Phase::Decided(Decision { outcome, problem: problem.clone() })
        }
    };
    Some(Memory {
        id: state.order_id,
        key: key(&state.tenant, &state.api, &state.environment, &state.gateway),
        generation: state.generation,
        offset: state.order_offset,
        deadline: state.deadline,
        cancels: state.kind == OrderKind::Cancel,
        problem: problem.filter(|_| state.phase != DeploymentPhase::Decided),
        phase,
        needs_attention: state.needs_attention,
        at: state.at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn memory(phase: Phase) -> Memory {
        let order = sample::order();
        Memory {
            id: order.order_id,
            key: "acme/pets/dev/edge".to_owned(),
            generation: order.generation,
            offset: 7,
            deadline: order.deadline,
            cancels: false,
            phase,
            needs_attention: false,
            problem: None,
            at: sample::NOW,
        }
    }

    #[test]
    fn what_was_written_is_remembered() {
        let problem = Problem { reason: "broker".to_owned(), message: "it was away".to_owned() };
        let intent = Phase::Intent { step: "route".to_owned(), attempt: 6, until: sample::NOW };
        let failed = Decision { outcome: Outcome::Failed, problem: Some(problem.clone()) };
        let memories = [
            memory(Phase::Accepted),
            Memory { needs_attention: true, problem: Some(problem), ..memory(intent) },
            memory(Phase::Done { step: "probe".to_owned() }),
            memory(Phase::Decided(failed)),
            memory(Phase::Decided(Decision { outcome: Outcome::Superseded, problem: None })),
        ];
        for memory in memories {
            assert_eq!(read(&write(&sample::order(), &memory)), Some(memory));
        }
    }

    #[test]
    fn what_a_newer_version_wrote_is_left_alone() {
        let decided = memory(Phase::Decided(Decision { outcome: Outcome::Unknown, problem: None }));
        assert_eq!(read(&write(&sample::order(), &decided)), None);
        let mut state = write(&sample::order(), &memory(Phase::Accepted));
        state.phase = DeploymentPhase::Unknown;
        assert_eq!(read(&state), None);
    }
}
